// MdsLink: what is asked of the MDS, and what the MDS asks of us.
#include "common/rpc/request.hpp"
#include "ds/mds_link.hpp"

namespace pnfs::ds {

using namespace control;

namespace {

using namespace std::chrono_literals;
constexpr size_t kRememberedRevokes = 8192;  // for a revoke that is asked again because its answer was lost
constexpr Duration kTellPatience = 5s;       // an MDS that restarts is back by then, or will not be soon
constexpr Duration kTellPause = 50ms;

}  // namespace

io::Task<Result<void>> MdsLink::ask_grant(uint64_t cause, uint64_t fileid, uint64_t generation, Access access,
                                          StripeSet set, ByteRange need, uint64_t extend, bool join) {
  const Questions::What what{fileid, {}, access == Access::write ? 2u : 1u};
  if (const auto other = questions_.find(what, need.offset); join && other) {
    co_await questions_.answer(what, *other);
    co_return Result<void>{};
  }
  auto connection = live();
  if (connection == nullptr) co_return error(Errc::closed, "no connection to the MDS");
  const Questions::Asked asked(questions_, what, need.offset);
  Arena arena;
  GRANTargs args;
  args.node_id = node_id_;
  args.mds_epoch = mds_epoch_;
  args.grant_id = extend;
  args.fileid = fileid;
  args.file_generation = generation;
  args.mode = access == Access::write ? GRANT_EX : GRANT_PR;
  args.set = to_wire(set, arena);
  args.need = to_wire(need);
  args.written_end = grants_.written_end(fileid);
  struct Outstanding {
    GrantCache& cache;
    explicit Outstanding(GrantCache& c) : cache(c) { cache.call_started(); }
    ~Outstanding() { cache.call_ended(); }
  };
  const Outstanding outstanding(grants_);
  auto answer = co_await call<GRANTres>(connection, CTLPROC_GRANT, args, kCallTimeout, cause);
  if (!answer) co_return answer.error();
  if (answer->res.status != CTL_OK) co_return error_of(answer->res.status, answer->res.reason.text);
  const GRANTok& ok = answer->res.ok;
  if (!member_ || ok.mds_epoch != mds_epoch_) co_return error(Errc::busy, "the grant is of an epoch that is over");
  GrantNews news;
  news.id = ok.grant_id;
  news.generation = ok.generation;
  news.fileid = fileid;
  news.access = ok.mode == GRANT_EX ? Access::write : Access::read;
  news.set = from_wire(ok.set);
  news.mapped = from_wire(ok.mapped);
  news.file_size = ok.file_size;
  for (const auto& extent : ok.extents) news.extents.push_back({extent.file_offset, extent.volume_offset, extent.length});
  if (!grants_.arrived(std::move(news))) {
    ++counters_.crossed;
    co_return error(Errc::busy, "the grant was revoked on its way");
  }
  co_return Result<void>{};
}

io::Task<Result<bool>> MdsLink::ask_verdict(uint64_t cause, VerdictCache::Key key, Question question, Refusal& refusal,
                                            bool join) {
  const Questions::What what{key.client, key.other, question.access};
  if (const auto other = questions_.find(what, 0); join && other) {
    co_await questions_.answer(what, *other);
    co_return false;
  }
  auto connection = live();
  if (connection == nullptr) co_return error(Errc::closed, "no connection to the MDS");
  const Questions::Asked asked(questions_, what, 0);
  const uint64_t ticket = verdicts_.asking();
  STATEID_CHECKargs args;
  args.node_id = node_id_;
  args.mds_epoch = mds_epoch_;
  args.co_ownerid.bytes = std::as_bytes(std::span(question.co_ownerid));
  args.principal.text = question.principal;
  args.seqid = question.seqid;
  args.other.bytes = key.other;
  args.filehandle.bytes = std::as_bytes(std::span(key.filehandle));
  args.access = question.access;
  auto answer = co_await call<STATEID_CHECKres>(connection, CTLPROC_STATEID_CHECK, args, kCallTimeout, cause);
  if (!answer) co_return answer.error();
  if (answer->res.status == CTL_REFUSED) {
    refusal.nfs_status = answer->res.refusal.nfs_status;
    refusal.reason = answer->res.refusal.reason.text;
    co_return true;
  }
  if (answer->res.status != CTL_OK) co_return error_of(answer->res.status, answer->res.reason.text);
  const STATEID_CHECKok& ok = answer->res.ok;
  Verdict verdict;
  verdict.fileid = ok.fileid;
  verdict.generation = ok.file_generation;
  verdict.access = ok.access;
  verdict.dense = ok.dense;
  verdict.commit_thru_mds = ok.commit_thru_mds;
  verdict.dense_index = ok.dense_index;
  verdict.set = from_wire(ok.set);
  for (const auto& range : ok.readable) verdict.readable.push_back(from_wire(range));
  for (const auto& range : ok.writable) verdict.writable.push_back(from_wire(range));
  if (!verdict.set.valid()) co_return error(Errc::protocol, "the MDS answered a stripe set that makes no sense");
  if (!member_) co_return false;
  co_return verdicts_.arrived(key, ticket, std::move(verdict));
}

io::Task<Result<void>> MdsLink::file_changed(uint64_t cause, uint64_t fileid, uint64_t generation,
                                             uint64_t size_at_least, bool touch) {
  auto connection = live();
  if (connection == nullptr) co_return error(Errc::closed, "no connection to the MDS");
  FILE_CHANGEDargs args;
  args.node_id = node_id_;
  args.mds_epoch = mds_epoch_;
  args.fileid = fileid;
  args.file_generation = generation;
  args.size_at_least = size_at_least;
  args.touch = touch;
  auto answer = co_await call<STATUSres>(connection, CTLPROC_FILE_CHANGED, args, kCallTimeout, cause);
  if (!answer) co_return answer.error();
  if (answer->res.status != CTL_OK) co_return error_of(answer->res.status, answer->res.reason.text);
  co_return Result<void>{};
}

io::Task<bool> MdsLink::tell_size(uint64_t cause, uint64_t fileid) {
  const TimePoint give_up = seams_.clock.now() + kTellPatience;
  for (;;) {
    const auto telling = grants_.untold(fileid);
    if (lease_valid()) {
      if (!telling) co_return true;
      auto told = co_await file_changed(cause, fileid, telling->generation, telling->end, false);
      if (told || told.error().code == Errc::not_found) {  // removed: nothing will look for its size
        grants_.told(*telling);
        co_return true;
      }
      spdlog::debug("{}: the size of file {} was not told: {}", options_.node, fileid, told.error().reason);
    }
    if (seams_.clock.now() >= give_up) co_return false;
    co_await seams_.timers.sleep(kTellPause);
  }
}

io::Task<bool> MdsLink::run(rpc::Request& request, control_proc proc, const void* args, void* res) {
  switch (proc) {
    case CTLPROC_PING: {
      const auto& ping = *static_cast<const PINGargs*>(args);
      if (ping.mds_epoch == mds_epoch_) write_epoch_ = std::max(write_epoch_, ping.write_epoch);
      co_return true;
    }
    case CTLPROC_REVOKE:
      co_await do_revoke(*static_cast<const REVOKEargs*>(args), *static_cast<REVOKEres*>(res), request.arena());
      co_return true;
    case CTLPROC_REVOKE_STATEID:
      co_await do_revoke_stateid(*static_cast<const REVOKE_STATEIDargs*>(args));
      co_return true;
    default:
      co_return false;
  }
}

// The reply leaves when no I/O stands on the grants any more; none starts from the first line on.
io::Task<void> MdsLink::do_revoke(const REVOKEargs& args, REVOKEres& res, Arena& arena) {
  res.ok.grants.items = arena.make_array<grant_end>(args.grant_ids.size());
  std::vector<size_t> running;
  for (size_t i = 0; i < args.grant_ids.size(); ++i) {
    const uint64_t id = args.grant_ids[i];
    res.ok.grants[i].grant_id = id;
    const auto gone = grants_.revoke(id);
    if (!gone) {
      running.push_back(i);
      continue;
    }
    // Asked again because an answer was lost: what was written is still known.
    if (gone->written_end != 0) gone_[id] = gone->written_end;
    const auto known = gone_.find(id);
    res.ok.grants[i].written_end = known == gone_.end() ? 0 : known->second;
  }
  while (gone_.size() > kRememberedRevokes) gone_.erase(gone_.begin());
  const bool waits = !left_out(step::kAwaitIo);
  for (const size_t i : running) {
    const uint64_t id = args.grant_ids[i];
    while (waits && grants_.running(id)) co_await released_.wait();
    const auto known = gone_.find(id);
    res.ok.grants[i].written_end = known == gone_.end() ? 0 : known->second;
  }
}

io::Task<void> MdsLink::do_revoke_stateid(const REVOKE_STATEIDargs& args) {
  for (const auto& key : args.keys) verdicts_.revoke(key.fileid, key.other.bytes);
  if (left_out(step::kAwaitIo)) co_return;
  for (size_t i = 0; i < args.keys.size(); ++i)
    while (!verdicts_.settled(args.keys[i].fileid, args.keys[i].other.bytes)) co_await released_.wait();
}

}  // namespace pnfs::ds
