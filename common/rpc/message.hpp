// ONC RPC version 2 messages (RFC 5531 section 9) and who speaks in them. The headers themselves are encoded and
// decoded by libtirpc, inside message.cpp alone.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "common/base/arena.hpp"
#include "common/base/result.hpp"
#include "common/xdr/decoder.hpp"
#include "common/xdr/encoder.hpp"
#include "common/xdr/types.hpp"

namespace pnfs::rpc {

PNFS_XDR_ENUM(accept_stat, (SUCCESS, 0), (PROG_UNAVAIL, 1), (PROG_MISMATCH, 2), (PROC_UNAVAIL, 3), (GARBAGE_ARGS, 4),
              (SYSTEM_ERR, 5))
PNFS_XDR_ENUM(auth_stat, (AUTH_OK, 0), (AUTH_BADCRED, 1), (AUTH_REJECTEDCRED, 2), (AUTH_BADVERF, 3),
              (AUTH_REJECTEDVERF, 4), (AUTH_TOOWEAK, 5), (AUTH_INVALIDRESP, 6), (AUTH_FAILED, 7))

// RFC 5531 11: the bit of a record mark that says "no more fragments"; the others are the fragment's length.
inline constexpr uint32_t kLastFragment = 0x80000000;

enum class AuthFlavor : uint32_t { none = 0, sys = 1, gss = 6 };

// RFC 5531 14 (AUTH_SYS): at most 16 supplementary groups and 255 bytes of machine name.
inline constexpr size_t kMaxGids = 16;
inline constexpr size_t kMaxMachineName = 255;

// Views into the request's record and arena.
struct Credential {
  AuthFlavor flavor = AuthFlavor::none;
  uint32_t stamp = 0;
  std::string_view machine;
  uint32_t uid = 65534;
  uint32_t gid = 65534;
  std::span<const uint32_t> gids;

  static Credential sys(uint32_t uid, uint32_t gid, std::string_view machine = "pnfslab") {
    return {AuthFlavor::sys, 0, machine, uid, gid, {}};
  }
};

struct CallHeader {
  uint32_t xid = 0;
  uint32_t rpc_version = 2;
  uint32_t program = 0;
  uint32_t version = 0;
  uint32_t procedure = 0;
  Credential credential;
  auth_stat credential_status = AUTH_OK;  // why `credential` could not be read
};

struct ReplyHeader {
  uint32_t xid = 0;
  bool accepted = true;
  accept_stat status = SUCCESS;  // accepted
  bool rpc_mismatch = false;     // denied: RPC_MISMATCH, else AUTH_ERROR with auth_status
  auth_stat auth_status = AUTH_OK;
  uint32_t low = 0, high = 0;  // PROG_MISMATCH, RPC_MISMATCH
};

enum class MessageType : uint32_t { call = 0, reply = 1 };

// The first two words; nothing when the record is no RPC message at all.
std::optional<MessageType> message_type(std::span<const std::byte> record);

// Leave `decoder` at the first byte of the arguments or results. A call of another RPC version fills xid and
// rpc_version only. Errors: Errc::protocol (the record is truncated or makes no sense).
Result<CallHeader> decode_call(xdr::Decoder& decoder);
Result<ReplyHeader> decode_reply(xdr::Decoder& decoder);

void encode_call(xdr::Encoder& encoder, const CallHeader& header);
void encode_reply(xdr::Encoder& encoder, const ReplyHeader& header);

// A success reply's header without the record mark.
inline constexpr size_t kSuccessHeaderBytes = 24;

}  // namespace pnfs::rpc
