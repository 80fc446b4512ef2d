// RPC call and reply headers: whatever can be decoded encodes to something that decodes to the same.
#include "common/rpc/message.hpp"
#include "tests/fuzz/target.hpp"

using namespace pnfs;

std::vector<FuzzInput> fuzz_seeds() {
  std::vector<FuzzInput> seeds;
  auto add = [&seeds](auto&& encode) {
    Arena arena;
    xdr::Encoder encoder(arena);
    encode(encoder);
    seeds.push_back(encoder.flatten());
  };
  const uint32_t gids[] = {1, 2, 3};
  rpc::CallHeader call{1, 2, 100003, 4, 1, rpc::Credential::sys(0, 0, "client")};
  call.credential.gids = gids;
  add([&](xdr::Encoder& e) { encode_call(e, call); });
  call.credential = {};
  add([&](xdr::Encoder& e) { encode_call(e, call); });
  for (const rpc::ReplyHeader& reply : {rpc::ReplyHeader{.xid = 1},
                                        {.xid = 2, .status = rpc::PROG_MISMATCH, .high = 4},
                                        {.xid = 3, .accepted = false, .rpc_mismatch = true},
                                        {.xid = 4, .accepted = false, .auth_status = rpc::AUTH_BADCRED}})
    add([&](xdr::Encoder& e) { encode_reply(e, reply); });
  return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> record(reinterpret_cast<const std::byte*>(data), size);
  Arena arena;
  const auto type = rpc::message_type(record);
  FUZZ_CHECK(type || size < 8 || data[4] != 0 || data[5] != 0 || data[6] != 0 || data[7] > 1);
  if (!type) return 0;
  xdr::Decoder decoder(record, arena);
  xdr::Encoder again(arena);
  if (*type == rpc::MessageType::call) {
    const auto header = rpc::decode_call(decoder);
    if (!header || header->rpc_version != 2 || header->credential_status != rpc::AUTH_OK) return 0;
    FUZZ_CHECK(decoder.offset() <= size);
    FUZZ_CHECK(header->credential.gids.size() <= rpc::kMaxGids);
    FUZZ_CHECK(header->credential.machine.size() <= rpc::kMaxMachineName);
    rpc::encode_call(again, *header);
    const auto bytes = again.flatten();
    xdr::Decoder second(bytes, arena);
    const auto same = rpc::decode_call(second);
    FUZZ_CHECK(same && same->xid == header->xid && same->program == header->program);
    FUZZ_CHECK(same->credential.uid == header->credential.uid &&
               same->credential.machine == header->credential.machine);
  } else {
    const auto header = rpc::decode_reply(decoder);
    if (header) FUZZ_CHECK(decoder.offset() <= size);
  }
  return 0;
}
