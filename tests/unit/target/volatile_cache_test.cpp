// A model test: the cache against two plain arrays, what an initiator sees and what the medium holds.
#include <gtest/gtest.h>

#include "common/base/random.hpp"
#include "testbed/target/backing/backing.hpp"

namespace pnfs::target {
namespace {

constexpr uint64_t kSize = 64 * 4096;

// Keeps the medium in reach after the cache has taken it.
class Shared final : public Backing {
 public:
  explicit Shared(std::vector<uint8_t>& bytes) : bytes_(bytes) {}
  uint64_t size_bytes() const override { return bytes_.size(); }
  Result<void> read(uint64_t offset, Bytes into) override {
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }
  Result<void> write(uint64_t offset, ConstBytes from) override {
    std::copy(from.begin(), from.end(), bytes_.begin() + static_cast<ptrdiff_t>(offset));
    return {};
  }
  Result<void> flush() override { return {}; }
  Result<void> zero(uint64_t offset, uint64_t length, bool) override {
    std::fill_n(bytes_.begin() + static_cast<ptrdiff_t>(offset), length, 0);
    return {};
  }

 private:
  std::vector<uint8_t>& bytes_;
};

TEST(VolatileCache, UnflushedWritesDieAndFlushedOnesDoNot) {
  std::vector<uint8_t> medium(kSize);
  auto cache = make_volatile_cache(std::make_unique<Shared>(medium), kSize);
  const std::vector<uint8_t> data(512, 0xaa);
  ASSERT_TRUE(cache->write(512, data));
  ASSERT_TRUE(cache->flush());
  ASSERT_TRUE(cache->write(1024, data));
  ASSERT_TRUE(cache->zero(512, 512, true));
  cache->lose();
  EXPECT_EQ(medium[512], 0xaa);
  EXPECT_EQ(medium[1024], 0);
  std::vector<uint8_t> seen(512);
  ASSERT_TRUE(cache->read(512, seen));
  EXPECT_EQ(seen, data);
}

TEST(VolatileCache, WriteThroughIsDurableAtOnce) {
  std::vector<uint8_t> medium(kSize);
  auto cache = make_volatile_cache(std::make_unique<Shared>(medium), kSize);
  ASSERT_TRUE(cache->write(0, std::vector<uint8_t>(4096, 1)));
  ASSERT_TRUE(cache->write_through(512, std::vector<uint8_t>(512, 2)));
  EXPECT_EQ(medium[0], 0);
  EXPECT_EQ(medium[512], 2);
  ASSERT_TRUE(cache->flush());
  EXPECT_EQ(medium[0], 1);
  EXPECT_EQ(medium[512], 2);
}

TEST(VolatileCache, AgreesWithAPlainArrayWhateverIsDone) {
  SeededRandom random(2014);
  for (int round = 0; round < 20; ++round) {
    std::vector<uint8_t> medium(kSize);
    std::vector<uint8_t> model(kSize);
    // A small limit, so that data are also pushed out early.
    auto cache = make_volatile_cache(std::make_unique<Shared>(medium), round % 2 ? 8 * 4096 : kSize);
    for (int step = 0; step < 300; ++step) {
      const uint64_t offset = random.below(kSize / 512) * 512;
      const uint64_t length = std::min((1 + random.below(32)) * 512, kSize - offset);
      const auto fill = static_cast<uint8_t>(1 + random.below(255));
      const std::vector<uint8_t> data(length, fill);
      const auto at = model.begin() + static_cast<ptrdiff_t>(offset);
      switch (random.below(8)) {
        case 0:
          ASSERT_TRUE(cache->flush());
          ASSERT_EQ(medium, model);
          break;
        case 1:
        case 2:
          ASSERT_TRUE(cache->zero(offset, length, random.chance(1, 2)));
          std::fill_n(at, length, 0);
          break;
        case 3:
          ASSERT_TRUE(cache->write_through(offset, data));
          std::fill_n(at, length, fill);
          ASSERT_TRUE(std::equal(data.begin(), data.end(), medium.begin() + static_cast<ptrdiff_t>(offset)));
          break;
        default:
          ASSERT_TRUE(cache->write(offset, data));
          std::fill_n(at, length, fill);
      }
      std::vector<uint8_t> seen(kSize);
      ASSERT_TRUE(cache->read(0, seen));
      ASSERT_EQ(seen, model) << "round " << round << " step " << step;
    }
  }
}

TEST(VolatileCache, ReportsWhatIsMapped) {
  auto cache = make_volatile_cache(make_memory(kSize), kSize);
  ASSERT_TRUE(cache->write(4096, std::vector<uint8_t>(4096, 1)));
  EXPECT_FALSE(cache->run_at(0).mapped);
  EXPECT_EQ(cache->run_at(0).length, 4096u);
  EXPECT_TRUE(cache->run_at(4096).mapped);
  ASSERT_TRUE(cache->zero(4096, 4096, true));
  EXPECT_FALSE(cache->run_at(4096).mapped);
}

}  // namespace
}  // namespace pnfs::target
