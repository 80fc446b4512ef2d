// The arguments and results of every operation and callback: what decodes encodes, and decodes to the same again. The
// first byte chooses between calls, replies, callbacks and their replies.
#include "common/base/random.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/ops.hpp"
#include "common/xdr/codec.hpp"
#include "common/xdr/random_value.hpp"
#include "tests/fuzz/target.hpp"

using namespace pnfs;

namespace {

void* make(Arena& arena, const xdr::TypeInfo& type) {
  void* value = arena.allocate(type.bytes);
  std::memset(value, 0, type.bytes);
  return value;
}

const xdr::TypeInfo& part_of(const nfs::OpInfo& op, uint8_t kind) {
  return kind % 2 == 0 ? *op.args : *op.res;
}

}  // namespace

std::vector<FuzzInput> fuzz_seeds() {
  std::vector<FuzzInput> seeds;
  SeededRandom random(1);
  for (uint8_t kind = 0; kind < 4; ++kind) {
    for (const nfs::OpInfo& op : kind < 2 ? nfs::operations() : nfs::callbacks()) {
      Arena arena;
      const xdr::TypeInfo& type = part_of(op, kind);
      void* value = make(arena, type);
      xdr::fill_random(xdr::FieldView(type, value), random, arena);
      xdr::Encoder encoder(arena);
      encoder.u32(op.number);
      type.encode(encoder, value);
      FuzzInput seed = encoder.flatten();
      seed.insert(seed.begin(), static_cast<std::byte>(kind));
      seeds.push_back(std::move(seed));
    }
  }
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t kind = data[0] % 4;
  Arena arena;
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  xdr::Decoder decoder(bytes, arena);
  for (;;) {
    uint32_t number = 0;
    if (!decoder.u32(number)) return 0;
    const nfs::OpInfo* op = kind < 2 ? nfs::find_op(number) : nfs::find_callback(number);
    if (op == nullptr) return 0;
    const xdr::TypeInfo& type = part_of(*op, kind);
    void* value = make(arena, type);
    const size_t before = decoder.offset();
    if (!type.decode(decoder, value)) {
      FUZZ_CHECK(!decoder.problem().empty());
      return 0;
    }
    FUZZ_CHECK(decoder.offset() >= before && decoder.offset() <= bytes.size());
    xdr::Encoder first(arena);
    type.encode(first, value);
    const auto once = first.flatten();
    xdr::Decoder again(once, arena);
    void* copy = make(arena, type);
    FUZZ_CHECK(type.decode(again, copy));
    FUZZ_CHECK(again.left() == 0);
    xdr::Encoder second(arena);
    type.encode(second, copy);
    FUZZ_CHECK(second.flatten() == once);
    FUZZ_CHECK(arena.reserved_bytes() < (64u << 20) + size * 256);
  }
}
