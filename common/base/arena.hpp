// Bump allocation for one request: everything decoded from it and everything encoded for its reply lives here and dies
// at once. Nothing put here is ever destroyed, so only trivially destructible types are accepted.
// Not thread-safe; one owner.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace pnfs {

class Arena {
 public:
  static constexpr size_t kFirstBlockBytes = 4096;

  Arena() = default;
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  void* allocate(size_t bytes, size_t align = alignof(std::max_align_t)) {
    const size_t pad = static_cast<size_t>(-reinterpret_cast<intptr_t>(next_)) & (align - 1);
    if (pad + bytes > left_) return allocate_block(bytes, align);
    std::byte* result = next_ + pad;
    next_ = result + bytes;
    left_ -= pad + bytes;
    return result;
  }

  // `count` value-initialised objects.
  template <class T>
  std::span<T> make_array(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>);
    if (count == 0) return {};
    T* first = static_cast<T*>(allocate(count * sizeof(T), alignof(T)));
    for (size_t i = 0; i < count; ++i) new (first + i) T{};
    return {first, count};
  }

  template <class T>
  T* make(T value = {}) {
    static_assert(std::is_trivially_destructible_v<T>);
    return new (allocate(sizeof(T), alignof(T))) T(std::move(value));
  }

  std::span<std::byte> copy(std::span<const std::byte> bytes) {
    std::byte* to = static_cast<std::byte*>(allocate(bytes.size(), 1));
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return {to, bytes.size()};
  }

  std::string_view copy(std::string_view text) {
    auto bytes = copy(std::as_bytes(std::span(text.data(), text.size())));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  // Bytes taken from the system so far: what limits per client are checked against.
  size_t reserved_bytes() const { return reserved_; }

  // Forget everything but keep the first block for the next request.
  void reset();

 private:
  void* allocate_block(size_t bytes, size_t align);

  struct Block {
    std::unique_ptr<std::byte[]> bytes;
    size_t size;
  };
  std::vector<Block> blocks_;
  std::byte* next_ = nullptr;
  size_t left_ = 0;
  size_t reserved_ = 0;
};

}  // namespace pnfs
