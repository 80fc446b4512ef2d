// One line of the trace. Shapes are stable: a field keeps its name and meaning for ever, new ones may be added, and
// kVersion changes only when a reader must change. TRACE.md beside this file documents every field for users.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/xdr/field_view.hpp"

namespace pnfs::trace {

inline constexpr uint32_t kVersion = 1;

enum class Kind : uint8_t {
  op,        // one operation of a COMPOUND, at the server that ran it
  callback,  // one operation of a CB_COMPOUND, at the server that sent it
  control,   // a call of the control program between MDS and DS
  fault,     // an injected fault did something
  state,     // a lifetime began, changed or ended: client, session, open, lock, delegation, layout, grant, node
  scsi,      // a SCSI command, at the initiator or the target
  rpc,       // a call or reply that did not get as far as an operation
  net,       // a connection opened, closed or misbehaved
};
std::string_view to_string(Kind kind);
std::optional<Kind> kind_from_string(std::string_view name);

// Text is std::string_view where an event is made (nothing is copied; views need to live only during record()) and
// std::string where one is kept or read back. Whatever is empty or absent is not written.
template <class Text>
struct BasicEvent {
  Kind kind = Kind::op;
  WallTime ts;                     // when it began; the sink fills it in when zero
  Text node;                       // "mds", "ds1", "target", "client"; the sink fills it in when empty
  Text client;                     // the client's owner string, or the peer node of a control call
  Text client_addr;                // "127.0.0.1:40022"
  Text principal;                  // "uid=0", "anonymous", a GSS name
  std::optional<uint64_t> conn;    // connection number, counted per process
  Text session;                    // sessionid4 in hex
  std::optional<uint32_t> slot;    // SEQUENCE or CB_SEQUENCE slot
  std::optional<uint32_t> seq;     // its sequence id
  std::optional<uint32_t> xid;     // RPC transaction id
  std::optional<uint64_t> call;    // one number for all events of one request, per node
  Text cause;                      // "node:call" of the request that led to this one
  std::optional<uint32_t> index;   // place in the compound, from 0
  Text op;                         // "LAYOUTGET", "CB_RECALL", "GRANT", "WRITE(10)", "accept", "layout.granted"
  Text path;                       // of the file, as far as known
  std::optional<uint64_t> fileid;  //
  Text stateid;                    // "seqid/other in hex", shortened
  Text iomode;                     // "READ", "RW", "ANY"
  std::optional<uint64_t> offset;  // bytes
  std::optional<uint64_t> length;  // bytes asked for
  std::optional<uint64_t> bytes;   // bytes moved
  Text device;                     // where on the volume: "offset+length,..." in bytes
  Text args;                       // one-line summary of the arguments
  Text res;                        // one-line summary of the results
  Text status;                     // "NFS4_OK", "NFS4ERR_...", "GOOD", "CHECK CONDITION", RPC error
  Text reason;                     // why, where it was decided
  Text section;                    // of RFC 8881
  Text fault;                      // rule that acted ("rule 3: ...")
  std::optional<uint64_t> us;      // microseconds from ts to the end
};

// `args_of` and `res_of` are what args and res are to be made of, for whoever makes an event often: the sink reads them
// during record(), or keeps their bytes and makes the text when there is time. They count where the text is empty.
struct Event : BasicEvent<std::string_view> {
  xdr::FieldView args_of;
  xdr::FieldView res_of;
};
using OwnedEvent = BasicEvent<std::string>;

// Of each_field's: a text, otherwise an optional number.
template <class Field>
inline constexpr bool is_text_field = std::is_convertible_v<Field, std::string_view>;

// f(name, field) for every field but kind and ts, in the order in which they are written. The one list that writer,
// reader, copies and filters share.
template <class E, class F>
constexpr void each_field(E& e, F&& f) {
  f("node", e.node);
  f("client", e.client);
  f("client_addr", e.client_addr);
  f("principal", e.principal);
  f("conn", e.conn);
  f("session", e.session);
  f("slot", e.slot);
  f("seq", e.seq);
  f("xid", e.xid);
  f("call", e.call);
  f("cause", e.cause);
  f("index", e.index);
  f("op", e.op);
  f("path", e.path);
  f("fileid", e.fileid);
  f("stateid", e.stateid);
  f("iomode", e.iomode);
  f("offset", e.offset);
  f("length", e.length);
  f("bytes", e.bytes);
  f("device", e.device);
  f("args", e.args);
  f("res", e.res);
  f("status", e.status);
  f("reason", e.reason);
  f("section", e.section);
  f("fault", e.fault);
  f("us", e.us);
}

// With args and res as text.
OwnedEvent to_owned(const Event& event);
// Points into `event`.
Event to_view(const OwnedEvent& event);

}  // namespace pnfs::trace
