#include "common/compound/fault_points.hpp"

#include "common/compound/typed_bodies.hpp"
#include "common/nfs/op_info.hpp"
#include "common/nfs/valid_errors.hpp"

namespace pnfs::compound {

namespace {

void add_all(fault::Vocabulary& vocabulary, fault::Domain domain, std::span<const nfs::OpInfo> table) {
  for (const nfs::OpInfo& op : table) {
    const auto errors = nfs::valid_errors(op.name);
    vocabulary.add({.domain = domain,
                    .name = std::string(op.name),
                    .section = std::string(op.section),
                    .args = op.args,
                    .res = domain == fault::Domain::operation ? result_for_rules(op) : op.res,
                    .valid_statuses = {errors.begin(), errors.end()}});
  }
  vocabulary.set_statuses(domain, nfs::nfsstat4_enumerators, {"NFS4ERR_", "NFS4_"});
}

}  // namespace

void add_nfs_points(fault::Vocabulary& vocabulary) {
  add_all(vocabulary, fault::Domain::operation, nfs::operations());
  add_all(vocabulary, fault::Domain::callback, nfs::callbacks());
}

void trace_faults(fault::Engine& engine, trace::Sink& sink) {
  engine.on_hit = [&sink](const fault::RuleState& rule, const fault::Context& context) {
    if (!sink.enabled(trace::Kind::fault)) return;
    const std::string name = fmt::format("rule {}: {}", rule.id, rule.text);
    trace::Event event;
    event.kind = trace::Kind::fault;
    event.client = context.client;
    event.client_addr = context.address;
    event.principal = context.principal;
    if (context.connection != 0) event.conn = context.connection;
    event.index = context.index;
    event.op = context.op;
    event.path = context.path;
    event.fileid = context.fileid;
    event.offset = context.offset;
    event.length = context.length;
    event.args = to_string(context.stage);
    event.fault = name;
    sink.record(event);
  };
}

}  // namespace pnfs::compound
