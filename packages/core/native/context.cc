// The binding's TFE_NewContext, which the linker puts in its place (--wrap): TensorFlow has no environment variable for
// how much of a card a process may take, only this field of its configuration (docs/decisions/0236).
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tensorflow/c/eager/c_api.h"

extern "C" {
TFE_Context* __real_TFE_NewContext(const TFE_ContextOptions* options, TF_Status* status);

/** NESGD_CARD_MEMORY_SHARE: of the card's memory, above 0 and at most 1; not set: what TensorFlow takes by itself. */
TFE_Context* __wrap_TFE_NewContext(TFE_ContextOptions* options, TF_Status* status) {
  const char* text = std::getenv("NESGD_CARD_MEMORY_SHARE");
  if (text == nullptr || *text == '\0') return __real_TFE_NewContext(options, status);
  char* end = nullptr;
  const double share = std::strtod(text, &end);
  if (*end != '\0' || !(share > 0 && share <= 1)) {
    std::fprintf(stderr, "NESGD_CARD_MEMORY_SHARE is %s: wants a number above 0 and at most 1\n", text);
    std::_Exit(1);  // The binding would go on without a context.
  }
  // ConfigProto { gpu_options (6): GPUOptions { per_process_gpu_memory_fraction (1): share } }, little-endian.
  unsigned char config[11] = {6 << 3 | 2, 9, 1 << 3 | 1};
  std::memcpy(config + 3, &share, sizeof share);
  TFE_ContextOptionsSetConfig(options, config, sizeof config, status);
  if (TF_GetCode(status) != TF_OK) {
    std::fprintf(stderr, "NESGD_CARD_MEMORY_SHARE: %s\n", TF_Message(status));
    std::_Exit(1);
  }
  return __real_TFE_NewContext(options, status);
}
}
