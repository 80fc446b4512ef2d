#include "testbed/bench/mds_load.hpp"

#include <unistd.h>

#include "testbed/client/attributes.hpp"

namespace pnfs::bench {

using namespace nfs;
using client::Compound;
using client::Outcome;

namespace {

client::SessionSetup setup_for(const io::Endpoint& server, unsigned depth) {
  client::SessionSetup setup;
  setup.server = server;
  setup.owner = fmt::format("pnfslab bench {}", getpid());
  setup.slots = depth;
  setup.attempts = 1;  // nothing is to be measured twice
  return setup;
}

}  // namespace

std::string_view to_string(Load load) {
  switch (load) {
    case Load::sequence:
      return "SEQUENCE";
    case Load::getattr:
      return "GETATTR";
    case Load::open_close:
      return "OPEN+CLOSE";
  }
  return "";
}

MdsLoad::MdsLoad(Seams seams, const io::Endpoint& server, unsigned depth)
    : timers_(seams.timers),
      rpc_(seams.network, seams.timers),
      session_(rpc_, timers_, setup_for(server, depth)),
      depth_(depth) {}

io::Task<Result<void>> MdsLoad::prepare(std::string under) {
  auto established = co_await session_.establish();
  if (!established) co_return to_error(established.error());
  auto complete = Compound::in_session();
  complete->add(OP_RECLAIM_COMPLETE, RECLAIM_COMPLETE4args{false});
  auto reply = co_await session_.run(complete);
  if (!reply) co_return to_error(reply.error());
  auto made = co_await make_directory(std::move(under));
  if (!made) co_return to_error(made.error());
  directory_ = std::move(*made);
  auto opened = co_await open_close();
  if (!opened) co_return to_error(opened.error());
  co_return Result<void>{};
}

io::Task<Outcome<std::vector<std::byte>>> MdsLoad::make_directory(std::string under) {
  CREATE4args args;
  args.objtype.type = NF4DIR;
  args.objname.text = "bench";
  auto compound = Compound::in_session();
  compound->add(OP_PUTROOTFH);
  if (!under.empty()) compound->add(OP_LOOKUP, LOOKUP4args{{under}});
  compound->add(OP_CREATE, args).add(OP_GETFH).cache();
  auto reply = co_await session_.run(compound);
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTROOTFH);
  if (!under.empty()) (*reply)->ok(OP_LOOKUP);
  (*reply)->get<CREATE4res>(OP_CREATE);
  const auto& fh = (*reply)->get<GETFH4res>(OP_GETFH).resok4.object.bytes;
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return std::vector<std::byte>(fh.begin(), fh.end());
}

io::Task<Result<void>> MdsLoad::run(Load load, uint64_t operations) {
  left_ = operations;
  failure_.reset();
  io::TaskGroup workers(timers_.executor());
  for (unsigned i = 0; i < depth_; ++i) workers.spawn("bench worker", work(load));
  co_await workers.join();
  if (failure_) co_return to_error(*failure_);
  co_return Result<void>{};
}

io::Task<void> MdsLoad::work(Load load) {
  while (left_ > 0 && !failure_) {
    --left_;
    Outcome<> done;
    switch (load) {
      case Load::sequence:
        done = co_await sequence();
        break;
      case Load::getattr:
        done = co_await getattr();
        break;
      case Load::open_close:
        done = co_await open_close();
        break;
    }
    if (!done) failure_ = done.error();
  }
}

io::Task<Outcome<>> MdsLoad::sequence() {
  auto reply = co_await session_.run(Compound::in_session());
  if (!reply) co_return reply.error();
  co_return Outcome<>{};
}

io::Task<Outcome<>> MdsLoad::getattr() {
  auto compound = Compound::in_session();
  compound->putfh(file_).add(OP_GETATTR, GETATTR4args{client::Attributes::usual()});
  auto reply = co_await session_.run(compound);
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  (*reply)->get<GETATTR4res>(OP_GETATTR);
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  co_return Outcome<>{};
}

io::Task<Outcome<>> MdsLoad::open_close() {
  Arena arena;
  const std::string name = fmt::format("file-{:08}", files_++);
  const std::string_view owner = "owner";
  client::NewAttributes attributes;
  attributes.mode = 0644;
  OPEN4args args;
  args.share_access = OPEN4_SHARE_ACCESS_BOTH | OPEN4_SHARE_ACCESS_WANT_NO_DELEG;
  args.owner.clientid = session_.clientid();
  args.owner.owner.bytes = std::as_bytes(std::span(owner));
  args.openhow.opentype = OPEN4_CREATE;
  args.openhow.how.mode = UNCHECKED4;
  args.openhow.how.createattrs = attributes.encode(arena);
  args.claim.file.text = name;
  auto opening = Compound::in_session();
  opening->putfh(directory_).add(OP_OPEN, args).add(OP_GETFH).cache();
  auto reply = co_await session_.run(opening);
  if (!reply) co_return reply.error();
  (*reply)->ok(OP_PUTFH);
  const stateid4 stateid = (*reply)->get<OPEN4res>(OP_OPEN).resok4.stateid;
  const auto& fh = (*reply)->get<GETFH4res>(OP_GETFH).resok4.object.bytes;
  if (const auto& failure = (*reply)->failure()) co_return *failure;
  if (file_.empty()) file_.assign(fh.begin(), fh.end());

  auto closing = Compound::in_session();
  closing->putfh(fh).add(OP_CLOSE, CLOSE4args{0, stateid}).cache();
  auto closed = co_await session_.run(closing);
  if (!closed) co_return closed.error();
  (*closed)->ok(OP_PUTFH);
  (*closed)->get<CLOSE4res>(OP_CLOSE);
  if (const auto& failure = (*closed)->failure()) co_return *failure;
  co_return Outcome<>{};
}

io::Task<Result<void>> MdsLoad::stop() {
  (void)co_await session_.destroy();
  co_await rpc_.stop();
  co_return Result<void>{};
}

}  // namespace pnfs::bench
