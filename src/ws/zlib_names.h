/* zlib as it is built here: raw deflate only, without an allocator, files or checksums.
 *
 * Internal.  Included before its sources (-include) and by the door to them,
 * ws/deflate.c.  Every name that it has for others gets our prefix, for a program may
 * bring a zlib of its own. */
#ifndef NATLET_WS_ZLIB_NAMES_H
#define NATLET_WS_ZLIB_NAMES_H

#include <stddef.h>
#include <string.h>

#define Z_SOLO
#define NO_GZIP
#define HAVE_MEMCPY
#define ZLIB_CONST

#define _dist_code natlet__z_dist_code
#define _length_code natlet__z_length_code
#define _tr_align natlet__z_tr_align
#define _tr_flush_bits natlet__z_tr_flush_bits
#define _tr_flush_block natlet__z_tr_flush_block
#define _tr_init natlet__z_tr_init
#define _tr_stored_block natlet__z_tr_stored_block
#define _tr_tally natlet__z_tr_tally
#define deflate natlet__z_deflate
#define deflateBound natlet__z_deflateBound
#define deflateBound_z natlet__z_deflateBound_z
#define deflateCopy natlet__z_deflateCopy
#define deflateEnd natlet__z_deflateEnd
#define deflateGetDictionary natlet__z_deflateGetDictionary
#define deflateInit2_ natlet__z_deflateInit2_
#define deflateInit_ natlet__z_deflateInit_
#define deflateParams natlet__z_deflateParams
#define deflatePending natlet__z_deflatePending
#define deflatePrime natlet__z_deflatePrime
#define deflateReset natlet__z_deflateReset
#define deflateResetKeep natlet__z_deflateResetKeep
#define deflateSetDictionary natlet__z_deflateSetDictionary
#define deflateSetHeader natlet__z_deflateSetHeader
#define deflateTune natlet__z_deflateTune
#define deflateUsed natlet__z_deflateUsed
#define deflate_copyright natlet__z_deflate_copyright
#define inflate natlet__z_inflate
#define inflateCodesUsed natlet__z_inflateCodesUsed
#define inflateCopy natlet__z_inflateCopy
#define inflateEnd natlet__z_inflateEnd
#define inflateGetDictionary natlet__z_inflateGetDictionary
#define inflateGetHeader natlet__z_inflateGetHeader
#define inflateInit2_ natlet__z_inflateInit2_
#define inflateInit_ natlet__z_inflateInit_
#define inflateMark natlet__z_inflateMark
#define inflatePrime natlet__z_inflatePrime
#define inflateReset natlet__z_inflateReset
#define inflateReset2 natlet__z_inflateReset2
#define inflateResetKeep natlet__z_inflateResetKeep
#define inflateSetDictionary natlet__z_inflateSetDictionary
#define inflateSync natlet__z_inflateSync
#define inflateSyncPoint natlet__z_inflateSyncPoint
#define inflateUndermine natlet__z_inflateUndermine
#define inflateValidate natlet__z_inflateValidate
#define inflate_copyright natlet__z_inflate_copyright
#define inflate_fast natlet__z_inflate_fast
#define inflate_fixed natlet__z_inflate_fixed
#define inflate_table natlet__z_inflate_table
#define zError natlet__z_zError
#define z_errmsg natlet__z_errmsg
#define zlibCompileFlags natlet__z_zlibCompileFlags
#define zlibVersion natlet__z_zlibVersion

#include <zlib.h>

/* Raw deflate has no checksum; what would reckon one is not called. */
#define adler32(sum, bytes, len) ((void)(bytes), (uLong)(sum))

#endif
