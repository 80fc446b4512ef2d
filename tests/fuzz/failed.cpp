#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/target.hpp"

void fuzz_failed(const char* what) {
  std::fprintf(stderr, "fuzz: broken: %s\n", what);
  std::abort();
}
