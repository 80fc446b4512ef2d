// One operation of a COMPOUND on its way through the dispatcher, and the places where trace and faults look at it.
#pragma once

#include "common/compound/role.hpp"

namespace pnfs::compound {

struct Step {
  nfs::nfs_opnum4 number = nfs::OP_ILLEGAL;  // as answered
  const nfs::OpInfo* info = nullptr;
  const Operation* operation = nullptr;  // null: nothing to run
  void* args = nullptr;                  // null: not decoded
  void* result = nullptr;
  nfs::Status status;
  bool run = false;          // decoded and allowed
  bool not_offered = false;  // no operation of this server: a rule may still choose which error it is
  TimePoint began;
  std::optional<TimePoint> ended;  // what came later (a reply that could not be made durable) has its own
  std::string fault;  // rules that acted on it
};

// What the arguments say about place and size, for trace and fault rules, into context.trace.
void describe_args(const Step& step, TraceFields& out);

// How the trace writes them.
std::string_view iomode_name(uint32_t iomode);
std::string stateid_text(const nfs::stateid4& stateid);

// The lifetimes that a step began or ended; `of` is its own event.
void trace_state(const trace::Event& of, const Step& step, trace::Sink& sink);

// One line of the trace.
void trace_step(Context& context, const Step& step);
// A request that did not get as far as an operation.
void trace_refused(Context& context, std::string_view status, std::string_view reason, std::string_view section);

// ---- faults ----
enum class Fate { go_on, dropped, closed };  // dropped: no reply; closed: the connection is gone, no reply

// Asks the injector, carries out delay, drop and close; a changed status is in step.status (and step.run is false at
// Stage::before).
io::Task<Fate> consult(Context& context, Step& step, fault::Stage stage, std::span<const std::string_view> names);
// The whole reply is encoded.
io::Task<Fate> consult_reply(Context& context, const Step& last, std::span<const std::string_view> names);
// The names of all operations of the request, read ahead without running anything.
std::vector<std::string_view> read_names(xdr::Decoder args, uint32_t count);

}  // namespace pnfs::compound
