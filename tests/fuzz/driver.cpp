// A small stand-in for libFuzzer: the target's seeds, and that many mutations of them from a fixed seed, so that every
// run of the test suite tries the same inputs and a failure repeats. "--write-seeds DIR" makes a corpus for libFuzzer.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "common/base/random.hpp"
#include "tests/fuzz/target.hpp"

namespace {

void mutate(FuzzInput& input, const std::vector<FuzzInput>& seeds, pnfs::Random& random) {
  const uint64_t changes = 1 + random.below(4);
  for (uint64_t i = 0; i < changes; ++i) {
    const uint64_t kind = random.below(7);
    if (input.empty()) {
      input.resize(1 + random.below(16));
      continue;
    }
    const size_t at = random.below(input.size());
    switch (kind) {
      case 0:
        input[at] = static_cast<std::byte>(random.next());
        break;
      case 1:
        input[at] ^= static_cast<std::byte>(1u << random.below(8));
        break;
      case 2:
        input.resize(at);
        break;
      case 3: {  // a length or a count of unusual size
        static constexpr uint32_t kWords[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 129, 1025};
        const uint32_t word = __builtin_bswap32(kWords[random.below(8)]);
        const size_t word_at = at & ~size_t{3};
        if (word_at + 4 <= input.size()) std::memcpy(input.data() + word_at, &word, 4);
        break;
      }
      case 4:
        input.insert(input.begin() + static_cast<ptrdiff_t>(at), 4 * random.below(8), std::byte{0});
        break;
      case 5: {  // the end of another one
        const FuzzInput& other = seeds[random.below(seeds.size())];
        const size_t from = other.empty() ? 0 : random.below(other.size());
        input.resize(at);
        input.insert(input.end(), other.begin() + static_cast<ptrdiff_t>(from), other.end());
        break;
      }
      default:
        input.erase(input.begin() + static_cast<ptrdiff_t>(at),
                    input.begin() + static_cast<ptrdiff_t>(std::min(input.size(), at + 4)));
    }
  }
}

void run(const FuzzInput& input) {
  // A block of exactly that size, so that the sanitizer sees a read beyond it.
  const FuzzInput exact(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(exact.data()), exact.size());
}

}  // namespace

int main(int argc, char** argv) {
  const auto seeds = fuzz_seeds();
  if (argc == 3 && std::strcmp(argv[1], "--write-seeds") == 0) {
    for (size_t i = 0; i < seeds.size(); ++i) {
      std::ofstream out(std::string(argv[2]) + "/seed" + std::to_string(i), std::ios::binary);
      out.write(reinterpret_cast<const char*>(seeds[i].data()), static_cast<std::streamsize>(seeds[i].size()));
    }
    return 0;
  }
  const uint64_t rounds = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  for (const FuzzInput& seed : seeds) run(seed);
  pnfs::SeededRandom random(20140517);
  for (uint64_t i = 0; i < rounds; ++i) {
    FuzzInput input = seeds[random.below(seeds.size())];
    mutate(input, seeds, random);
    run(input);
  }
  std::printf("%zu seeds and %llu mutations\n", seeds.size(), static_cast<unsigned long long>(rounds));
}
