// libtirpc's headers define macros such as AUTH_NONE and FALSE; they are seen here and in uaddr.cpp only, after ours.
#include "common/rpc/message.hpp"

#include <rpc/rpc.h>

namespace pnfs::rpc {

namespace {

// What xdrmem reads from is never written to, but its interface takes a char*.
XDR reader_of(const xdr::Decoder& decoder) {
  XDR xdrs;
  const auto rest = decoder.rest();
  const size_t bytes = std::min<size_t>(rest.size(), 0x7fffffff);
  xdrmem_create(&xdrs, const_cast<char*>(reinterpret_cast<const char*>(rest.data())), static_cast<u_int>(bytes),
                XDR_DECODE);
  return xdrs;
}

// Moves `decoder` past what `xdrs` has read; headers are whole words.
void skip_read(xdr::Decoder& decoder, XDR& xdrs) {
  std::span<const std::byte> skipped;
  decoder.fixed(XDR_GETPOS(&xdrs), skipped);
}

uint32_t word_at(std::span<const std::byte> bytes, size_t index) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + index * 4, 4);
  return __builtin_bswap32(word);
}

// RFC 5531 14: authsys_parms.
auth_stat decode_auth_sys(std::span<const std::byte> body, Arena& arena, Credential& out) {
  // The bytes lie in a local of the caller: what is kept of them goes to the arena.
  xdr::Decoder decoder(body, arena);
  std::span<const std::byte> machine;
  uint32_t count = 0;
  if (!decoder.u32(out.stamp) || !decoder.variable(kMaxMachineName, machine) || !decoder.u32(out.uid) ||
      !decoder.u32(out.gid) || !decoder.count(kMaxGids, 4, count))
    return AUTH_BADCRED;
  const auto gids = arena.make_array<uint32_t>(count);
  for (uint32_t& gid : gids)
    if (!decoder.u32(gid)) return AUTH_BADCRED;
  if (decoder.left() != 0) return AUTH_BADCRED;
  out.machine = arena.copy(std::string_view(reinterpret_cast<const char*>(machine.data()), machine.size()));
  out.gids = gids;
  return AUTH_OK;
}

auth_stat decode_credential(const opaque_auth& wire, Arena& arena, Credential& out) {
  out = {};
  out.flavor = static_cast<AuthFlavor>(wire.oa_flavor);
  switch (out.flavor) {
    case AuthFlavor::none:
      return AUTH_OK;
    case AuthFlavor::sys:
      return decode_auth_sys({reinterpret_cast<const std::byte*>(wire.oa_base), wire.oa_length}, arena, out);
    case AuthFlavor::gss:
      break;
  }
  return AUTH_BADCRED;  // a flavor we do not speak
}

void encode_auth_sys(xdr::Encoder& encoder, const Credential& credential) {
  encoder.u32(credential.stamp);
  encoder.variable(std::as_bytes(std::span(credential.machine.substr(0, kMaxMachineName))));
  encoder.u32(credential.uid);
  encoder.u32(credential.gid);
  const auto gids = credential.gids.first(std::min(credential.gids.size(), kMaxGids));
  encoder.u32(static_cast<uint32_t>(gids.size()));
  for (const uint32_t gid : gids) encoder.u32(gid);
}

// libtirpc stores whatever number the peer sent in a C enum; reading an unknown one as that enum is undefined.
template <class Enum>
uint32_t number_of(const Enum& value) {
  static_assert(sizeof(Enum) == sizeof(uint32_t));
  uint32_t number = 0;
  std::memcpy(&number, &value, sizeof number);
  return number;
}

// xdr_void is declared without parameters, so the cast goes through the type that converts to any function.
xdrproc_t no_results() {
  return reinterpret_cast<xdrproc_t>(reinterpret_cast<void (*)()>(xdr_void));
}

constexpr size_t kMaxHeaderBytes = 10 * 4 + 2 * (MAX_AUTH_BYTES + 8);

template <class Encode>
void encode_header(xdr::Encoder& encoder, rpc_msg& message, Encode&& encode) {
  char buffer[kMaxHeaderBytes];
  XDR xdrs;
  xdrmem_create(&xdrs, buffer, sizeof buffer, XDR_ENCODE);
  if (!encode(&xdrs, &message)) throw std::logic_error("an RPC header that libtirpc cannot encode");
  encoder.raw(std::as_bytes(std::span(buffer, XDR_GETPOS(&xdrs))));
}

}  // namespace

std::optional<MessageType> message_type(std::span<const std::byte> record) {
  if (record.size() < 8) return std::nullopt;
  const uint32_t type = word_at(record, 1);
  if (type > 1) return std::nullopt;
  return static_cast<MessageType>(type);
}

Result<CallHeader> decode_call(xdr::Decoder& decoder) {
  CallHeader header;
  if (decoder.left() < 12)
    return error(Errc::protocol, "an RPC call of {} bytes ends inside its header", decoder.left());
  header.xid = word_at(decoder.rest(), 0);
  header.rpc_version = word_at(decoder.rest(), 2);
  if (header.rpc_version != RPC_MSG_VERSION) return header;

  char credential[MAX_AUTH_BYTES + 4];
  char verifier[MAX_AUTH_BYTES + 4];
  rpc_msg message{};
  message.rm_call.cb_cred.oa_base = credential;
  message.rm_call.cb_verf.oa_base = verifier;
  XDR xdrs = reader_of(decoder);
  if (!xdr_callmsg(&xdrs, &message))
    return error(Errc::protocol, "an RPC call header of xid 0x{:08x} is truncated or its credential is over {} bytes",
                 header.xid, MAX_AUTH_BYTES);
  skip_read(decoder, xdrs);
  header.program = static_cast<uint32_t>(message.rm_call.cb_prog);
  header.version = static_cast<uint32_t>(message.rm_call.cb_vers);
  header.procedure = static_cast<uint32_t>(message.rm_call.cb_proc);
  header.credential_status = decode_credential(message.rm_call.cb_cred, decoder.arena(), header.credential);
  return header;
}

Result<ReplyHeader> decode_reply(xdr::Decoder& decoder) {
  char verifier[MAX_AUTH_BYTES + 4];
  rpc_msg message{};
  message.acpted_rply.ar_verf.oa_base = verifier;
  message.acpted_rply.ar_results.where = nullptr;
  message.acpted_rply.ar_results.proc = no_results();
  XDR xdrs = reader_of(decoder);
  if (!xdr_replymsg(&xdrs, &message)) return error(Errc::protocol, "an RPC reply header is truncated or malformed");
  skip_read(decoder, xdrs);
  ReplyHeader header;
  header.xid = message.rm_xid;
  header.accepted = message.rm_reply.rp_stat == MSG_ACCEPTED;
  if (header.accepted) {
    header.status = static_cast<accept_stat>(number_of(message.acpted_rply.ar_stat));
    if (header.status == PROG_MISMATCH) {
      header.low = static_cast<uint32_t>(message.acpted_rply.ar_vers.low);
      header.high = static_cast<uint32_t>(message.acpted_rply.ar_vers.high);
    }
  } else if (message.rjcted_rply.rj_stat == ::RPC_MISMATCH) {
    header.rpc_mismatch = true;
    header.low = static_cast<uint32_t>(message.rjcted_rply.rj_vers.low);
    header.high = static_cast<uint32_t>(message.rjcted_rply.rj_vers.high);
  } else {
    header.auth_status = static_cast<auth_stat>(number_of(message.rjcted_rply.rj_why));
  }
  return header;
}

void encode_call(xdr::Encoder& encoder, const CallHeader& header) {
  rpc_msg message{};
  message.rm_xid = header.xid;
  message.rm_direction = CALL;
  message.rm_call.cb_rpcvers = header.rpc_version;
  message.rm_call.cb_prog = header.program;
  message.rm_call.cb_vers = header.version;
  message.rm_call.cb_proc = header.procedure;
  message.rm_call.cb_cred.oa_flavor = static_cast<enum_t>(header.credential.flavor);
  Arena scratch;
  if (header.credential.flavor == AuthFlavor::sys) {
    xdr::Encoder body(scratch);
    encode_auth_sys(body, header.credential);
    const auto bytes = body.pieces().front();
    message.rm_call.cb_cred.oa_base = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    message.rm_call.cb_cred.oa_length = static_cast<u_int>(bytes.size());
    encode_header(encoder, message, xdr_callmsg);
    return;
  }
  encode_header(encoder, message, xdr_callmsg);
}

void encode_reply(xdr::Encoder& encoder, const ReplyHeader& header) {
  rpc_msg message{};
  message.rm_xid = header.xid;
  message.rm_direction = REPLY;
  message.rm_reply.rp_stat = header.accepted ? MSG_ACCEPTED : MSG_DENIED;
  if (header.accepted) {
    message.acpted_rply.ar_stat = static_cast<::accept_stat>(header.status);
    if (header.status == PROG_MISMATCH) {
      message.acpted_rply.ar_vers.low = header.low;
      message.acpted_rply.ar_vers.high = header.high;
    } else {
      message.acpted_rply.ar_results.where = nullptr;
      message.acpted_rply.ar_results.proc = no_results();
    }
  } else if (header.rpc_mismatch) {
    message.rjcted_rply.rj_stat = ::RPC_MISMATCH;
    message.rjcted_rply.rj_vers.low = header.low;
    message.rjcted_rply.rj_vers.high = header.high;
  } else {
    message.rjcted_rply.rj_stat = ::AUTH_ERROR;
    message.rjcted_rply.rj_why = static_cast<::auth_stat>(header.auth_status);
  }
  encode_header(encoder, message, xdr_replymsg);
}

}  // namespace pnfs::rpc
