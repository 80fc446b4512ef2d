// A fuzz target is one .cpp with these two functions. It runs under libFuzzer (preset "fuzz", clang) and, with
// driver.cpp, in the ordinary test suite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

using FuzzInput = std::vector<std::byte>;

// Valid inputs to start from.
std::vector<FuzzInput> fuzz_seeds();

// 0 always; a broken invariant aborts.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Says what was broken and aborts.
[[noreturn]] void fuzz_failed(const char* what);
#define FUZZ_CHECK(condition)                  \
  do {                                         \
    if (!(condition)) fuzz_failed(#condition); \
  } while (0)
