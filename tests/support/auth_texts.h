/* Keys and credentials for tests only, made with npm's @nats-io/nkeys and @nats-io/jwt.
 * Nobody trusts them. */
#ifndef AUTH_TEXTS_H
#define AUTH_TEXTS_H

#define NONCE "PXoWU7zWAMt75FY"

#define ACCOUNT_SEED "SAAGBBNKZ72BSPTDRCW5F5Y4IFTIXMGV7IPUI2MOWPMP2ISHNSI3NW34OA"
#define ACCOUNT_KEY "AB2TD3B5RWFTKNDTVOZGT2ZPSAJ2HAIHPY5J6G7HBRMZ2TO3IWI7NFYK"
#define ACCOUNT_SIGNATURE                                                                          \
    "rqYNQ-2F1WhmFchV_6qRUDD_fofzsUGbyiFy2hZ9rv5t-V9d9j9yoplcBuh-j5lPbZlWg1k9xzoc-kR39BOuDw"
#define USER_SEED "SUALXYAFFJHXJGN64MEC2UTXTTA6MCZQKV5J7RHJBYZVQ7NCY7WBCNQSQU"
#define USER_KEY "UAW4YFJTD45YWRSICDJBH62ZG7UDBYMZGWS6VRAR5DWJFVR4GKL2OUZO"
#define USER_SIGNATURE                                                                             \
    "lrBfoXYR_6BnHiUi_D1ML-HxkQ-bXtJ-devOOlAGbHIGKAZgavVggrGq_WspfSCEmA2KOFmDafdDwrOr4FbpBw"
#define OPERATOR_SEED "SOABMO3AQWVM75AZHZRYRLOS64OECZULWDK7UH2ENGHLHWH5EJDWZEIL6E"
#define OPERATOR_KEY "OCL3ZAHZKFOAANK66J6ILSPC5V7JPEL4T33GTXRPKTAYOBULBT32DUK4"
#define OPERATOR_SIGNATURE                                                                         \
    "EDvYdgOKXgC07XRX3Tok1yXdGfz0B3ag8UeQHOHYY3OpTe-D1T7VAjb2fz1uIoAaqCQWSi7nUaDguoscMrtqCQ"
#define SERVER_SEED "SNAHDFV34ACSUT3UTG7OGCBNKJ3ZZQPGBMYFK6U7YTUQ4M2YPWRMP3EBW4"
#define SERVER_KEY "NC2HFKYAPZU2FWJVGZLTYDKX4BGXVVTVMYUFEMYFNGNOIHKMU7EEVYMC"
#define SERVER_SIGNATURE                                                                           \
    "rlGzxhWh8Q6HCuA-Caxc7eTYTz4fXnOGDOpcPf3g7aLGFUytMBLXnR4-qJj0flOlznMDHiZeSNx8YQnL1-BZBQ"
#define CLUSTER_SEED "SCAMZ4IWHNQILKWP6QMT4Y4IVXJPOHCBM2F3BVP2D5CGTDVT3D6SERZHUU"
#define CLUSTER_KEY "CAXL356B575LN3ZB5OYYZ6AC76VURAK6MWHGS65FG5P7STQS5ZGOKFR5"
#define CLUSTER_SIGNATURE                                                                          \
    "ivHegEpHeF2SuTy1L6XPC2I6UoJ_mMAO2ADu9TrMtJLq7n6B7ssQUkGyEXl1EiSnNOjoFKySgo-B6oDCxEwFDQ"
#define CURVE_SEED "SXACOTDRS256ABJKJ52JTPXDBAWVE544YHTAWMCVPKP4J2IOGNMH3IX534"
#define CURVE_KEY "XD3PLLOZ6YEDME5ZOZWXE7FT4IDDE6QX4NTQ3K474OVKBHY3XBMTOXF2"

/* {"exp":4102444800,"aud":"NATS","name":"natlet-tester","sub":USER_KEY,"nats":{…},…} */
#define USER_JWT                                                                                   \
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ."                                              \
    "eyJleHAiOjQxMDI0NDQ4MDAsImF1ZCI6Ik5BVFMiLCJuYW1lIjoibmF0bGV0LXRlc3RlciIsInN1YiI6IlVBVzRZRkpU" \
    "RDQ1WVdSU0lDREpCSDYyWkc3VURCWU1aR1dTNlZSQVI1RFdKRlZSNEdLTDJPVVpPIiwibmF0cyI6eyJkYXRhIjotMSwi" \
    "cGF5bG9hZCI6LTEsInN1YnMiOi0xLCJ0eXBlIjoidXNlciIsInZlcnNpb24iOjJ9LCJpc3MiOiJBQjJURDNCNVJXRlRL" \
    "TkRUVk9aR1QyWlBTQUoySEFJSFBZNUo2RzdIQlJNWjJUTzNJV0k3TkZZSyIsImlhdCI6MTc5NTU1MjY2NSwianRpIjoi" \
    "MFJQV21kb2hLcjBMaXVMM1VmeWhFTGdQUlNGQmh6TURyWFVwNjZqYUhEV3pMbUU2UHdRejlPa3RxRUtHcGdMRUVPL0N2" \
    "VWVVTms2YkU3am5SSktyclE9PSJ9."                                                                \
    "EMLiTIQlB0oYJgNXIgD1L4HDuie4aWy0GOxIQ4rJTcvhuVdmyqmysMYxtTzetRqDpLbw3yMf5DPJBoz5mhYtBw"

#define USER_CREDS                                                                                 \
    "-----BEGIN NATS USER JWT-----\n" USER_JWT "\n"                                                \
    "------END NATS USER JWT------\n\n"                                                            \
    "************************* IMPORTANT *************************\n"                              \
    "NKEY Seed printed below can be used sign and prove identity.\n"                               \
    "NKEYs are sensitive and should be treated as secrets.\n\n"                                    \
    "-----BEGIN USER NKEY SEED-----\n" USER_SEED "\n"                                              \
    "------END USER NKEY SEED------\n"

#endif
