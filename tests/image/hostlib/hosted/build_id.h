#define PIX_BUILD_ID "hosted"
