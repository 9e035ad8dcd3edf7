/* Goal: keys and signatures as in RFC 8032 and RFC 7748, and nothing of the secret
 * left on the stack.
 *
 * Method: the vectors of RFC 8032, 7.1, all five, and of RFC 7748, 6.1; then the
 * stack below is painted, a key is used, and what is not paint must be zero but for
 * the frames that the wiping itself has. */
#include "crypto/ed25519.h"

#include "crypto/secret.h"
#include "crypto/sha512.h"
#include "support/hex.h"
#include "support/stack.h"

static const char long_text[] =
    "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f"
    "77b1e355f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b27"
    "0b20329d658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1"
    "998bd177e93a7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa6"
    "2100ab5d1a36553e06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96"
    "bd68a8a97b928a8bbc103b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b"
    "74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17b"
    "a70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bd"
    "e1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63b"
    "cbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d2"
    "38f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d"
    "83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9"
    "af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca3"
    "2301651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783a"
    "acec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b"
    "2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649"
    "de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b"
    "80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504cc"
    "c493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5fb93246f6b1116398a346"
    "f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f1610e4eafe595f6d9d9"
    "0d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380db2eaaa707b4c"
    "4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8cac60c905c"
    "15fc910840b94c00a0b9d0";

static void check(const char *seed_hex, const char *key_hex, const char *text_hex,
                  const char *signature_hex)
{
    uint8_t seed[NATLET__KEY_BYTES];
    uint8_t key[NATLET__KEY_BYTES];
    uint8_t signature[NATLET__SIGNATURE_BYTES];
    char got[2 * NATLET__SIGNATURE_BYTES + 1];
    uint8_t *text = malloc(strlen(text_hex) / 2 + 1);
    size_t text_len = hex_read(text, text_hex);
    uint8_t *exact = malloc(text_len + (text_len == 0));

    memcpy(exact, text, text_len);
    CHECK_INT(hex_read(seed, seed_hex), sizeof seed);
    natlet__ed25519_public(key, seed);
    hex_write(got, key, sizeof key);
    CHECK_TEXT(got, key_hex);
    natlet__ed25519_sign(signature, (natlet_slice){exact, text_len}, seed);
    hex_write(got, signature, sizeof signature);
    CHECK_TEXT(got, signature_hex);
    hex_write(got, seed, sizeof seed);
    CHECK_TEXT(got, seed_hex);
    free(exact);
    free(text);
}

static void vectors_of_rfc_8032(void)
{
    check("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
          "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    check("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    check("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
          "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
          "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
          "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
    CHECK_INT(strlen(long_text), 2 * 1023);
    check("f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
          "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e", long_text,
          "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350"
          "aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03");
    check("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
          "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
          "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
          "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704");
}

static void check_x25519(const char *secret_hex, const char *key_hex)
{
    uint8_t secret[NATLET__KEY_BYTES];
    uint8_t key[NATLET__KEY_BYTES];
    char got[2 * NATLET__KEY_BYTES + 1];

    (void)hex_read(secret, secret_hex);
    natlet__x25519_public(key, secret);
    hex_write(got, key, sizeof key);
    CHECK_TEXT(got, key_hex);
}

static void vectors_of_rfc_7748(void)
{
    check_x25519("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
                 "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    check_x25519("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                 "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
}

#ifdef STACK_IS_VISIBLE
static void sign(uint8_t *out, const uint8_t *seed)
{
    natlet__ed25519_sign(out, (natlet_slice){(const uint8_t *)"a nonce", 7}, seed);
}

/* What stays is the pointers of the outermost frames. */
enum { FRAMES = 160 };

static void check_stack(const char *name, void (*use)(uint8_t *out, const uint8_t *seed),
                        const uint8_t *seed)
{
    static uint8_t out[NATLET__SIGNATURE_BYTES];
    uint8_t digest[NATLET__SHA512_BYTES]; /* its halves: the scalar, and what makes the nonce */
    size_t kept;

    natlet__sha512(digest, (natlet_slice){seed, NATLET__KEY_BYTES});
    stack_paint();
    use(out, seed);
    size_t depth = stack_depth(&kept);
    printf("%s: %d bytes of stack, %d not wiped\n", name, (int)depth, (int)kept);
    CHECK(depth > 1024 && depth < 8192);
    CHECK(kept < FRAMES);
    CHECK(!stack_finds(seed, 8));
    CHECK(!stack_finds(seed + 24, 8));
    CHECK(!stack_finds(digest + 1, 8)); /* its first and last byte are clamped */
    CHECK(!stack_finds(digest + 16, 8));
    CHECK(!stack_finds(digest + 32, 8));
    CHECK(!stack_finds(digest + 48, 8));
}

static void leaves_nothing_on_the_stack(void)
{
    static uint8_t seed[NATLET__KEY_BYTES];

    (void)hex_read(seed, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    check_stack("ed25519_public", natlet__ed25519_public, seed);
    check_stack("ed25519_sign", sign, seed);
    check_stack("x25519_public", natlet__x25519_public, seed);
}
#endif

int main(void)
{
    RUN(vectors_of_rfc_8032);
    RUN(vectors_of_rfc_7748);
#ifdef STACK_IS_VISIBLE
    RUN(leaves_nothing_on_the_stack);
#endif
    return test_done();
}
