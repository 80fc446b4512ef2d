#include "testbed/target/backing/backing.hpp"

namespace pnfs::target {

namespace {

class Null final : public Backing {
 public:
  explicit Null(uint64_t size) : size_(size) {}
  uint64_t size_bytes() const override { return size_; }
  Result<void> read(uint64_t, Bytes into) override {
    std::memset(into.data(), 0, into.size());
    return {};
  }
  Result<void> write(uint64_t, ConstBytes) override { return {}; }
  Result<void> flush() override { return {}; }
  Result<void> zero(uint64_t, uint64_t, bool) override { return {}; }

 private:
  uint64_t size_;
};

}  // namespace

std::unique_ptr<Backing> make_null(uint64_t size_bytes) {
  return std::make_unique<Null>(size_bytes);
}

}  // namespace pnfs::target
