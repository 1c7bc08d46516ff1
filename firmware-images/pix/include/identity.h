/* Who this image is: the words that the lab waits for, and the build id made by the Makefile. */
#ifndef PIX_IDENTITY_H
#define PIX_IDENTITY_H

#include "build_id.h" /* generated: PIX_BUILD_ID */

#define PIX_VERSION "0.1.0"
#define PIX_READY_TEXT "pix ready"
#define PIX_PROMPT "pix> "

#if LAYOUT_PADDED
#define PIX_LAYOUT "padded"
#else
#define PIX_LAYOUT "packed"
#endif
#define PIX_NAME "pix-" PIX_LAYOUT

#endif
