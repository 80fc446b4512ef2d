#include "mds/ops/holder.hpp"

#include "common/compound/backchannel.hpp"

namespace pnfs::mds {

using namespace nfs;
using state::StateTable;

namespace {

// The client behind GETATTR waits meanwhile.
constexpr Duration kPatience = std::chrono::seconds(5);
constexpr bitmap4 kAsked{FATTR4_CHANGE, FATTR4_SIZE};

// Change and size come first, since values go by their numbers. A holder that tells more than it was asked for (times,
// RFC 9754) is not to be taught here.
std::optional<StateTable::Told> read_answer(Result<compound::CallbackReply>& reply) {
  CB_GETATTR4res res;
  if (!reply || reply->status != NFS4_OK || !reply->next(res) || res.status != NFS4_OK) return std::nullopt;
  const fattr4& attributes = res.resok4.obj_attributes;
  const bitmap4 earlier{FATTR4_SUPPORTED_ATTRS, FATTR4_TYPE, FATTR4_FH_EXPIRE_TYPE};
  if (!kAsked.within(attributes.attrmask) || !(attributes.attrmask & earlier).none()) return std::nullopt;
  Arena arena;
  xdr::Decoder in(attributes.attr_vals.bytes, arena);
  StateTable::Told told;
  if (!in.u64(told.change) || !in.u64(told.size)) return std::nullopt;
  return told;
}

}  // namespace

bool held_by_another(MdsContext& context, FileId file) {
  const state::DelegationEntry* held = context.mds.state().write_delegation(file);
  return held != nullptr && held->client != context.clientid();
}

io::Task<Status> ask_holder(MdsContext& context, Inode& inode) {
  Mds& mds = context.mds;
  const FileId file = inode.fileid;
  const state::DelegationEntry* held = mds.state().write_delegation(file);
  const state::clientid4 holder = held->client;
  std::optional<StateTable::Told> told;
  const stateid4 delegation = mds.state().stateid_of(*held);
  if (!held->recalled && !mds.is_courtesy(holder)) {
    const auto handle = mds.handle_of(file, inode.generation).to_wire();
    CB_GETATTR4args args;
    args.fh.bytes = handle;
    args.attr_request = kAsked;
    compound::CallbackOps ops;
    ops.add(OP_CB_GETATTR, args);
    compound::CallbackOptions options;
    options.timeout = kPatience;
    options.attempts = 1;
    auto reply = co_await mds.backchannel().call(holder, std::move(ops), std::move(options));
    told = read_answer(reply);
  }
  if (!told) {
    if (Status status = context.recall_delegations(file, false); !status) co_return status;
    co_return mds.names().get(file, inode);
  }
  if (Status status = mds.names().get(file, inode); !status) co_return status;
  if (mds.state().holder_told(delegation, *told, inode.size) == StateTable::Holder::modified) {
    // Time and change value are kept, so that they do not go back if the holder's data never comes. The size is not:
    // the bytes are not there yet.
    const Caller server{0, 0, {}};
    if (Status status = mds.names().wrote(file, 0, server, inode); !status) co_return status;
    inode.size = told->size;
  }
  context.seen();
  co_return Status{};
}

}  // namespace pnfs::mds
