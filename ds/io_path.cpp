#include "ds/io_path.hpp"

#include "ds/grants/dense.hpp"

namespace pnfs::ds {

using nfs::fail;
using nfs::Status;

namespace {

using namespace std::chrono_literals;

// How long a request waits for the MDS before the client is told to come back. Linux comes back after 15 s.
constexpr Duration kPatience = 8s;
constexpr Duration kBusyPause = 50ms;

bool is_special(const nfs::stateid4& stateid) {
  const auto all = [&](std::byte value) {
    return std::all_of(stateid.other.bytes.begin(), stateid.other.bytes.end(), [&](std::byte b) { return b == value; });
  };
  return all(std::byte{0}) || all(std::byte{0xff});
}

Status mds_failed(const Error& why) {
  switch (why.code) {
    case Errc::no_space:
      return fail(nfs::NFS4ERR_NOSPC, "15.1.4.8", "{}", why.reason);
    case Errc::not_found:
      return fail(nfs::NFS4ERR_STALE, "15.1.2.7", "{}", why.reason);
    case Errc::io:
      return fail(nfs::NFS4ERR_IO, "15.1.4.6", "{}", why.reason);
    default:
      return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "{}", why.reason);
  }
}

// The request's bytes in the file. Sparse: the same offsets, all of them on this server's stripes.
Status to_file_ranges(const Verdict& verdict, uint32_t access, uint64_t offset, uint64_t length,
                      std::vector<control::ByteRange>& ranges) {
  ranges.clear();
  if (offset > UINT64_MAX - length) return fail(nfs::NFS4ERR_INVAL, "18.22.3", "offset {} + {} is beyond 2^64", offset, length);
  if (verdict.dense) {
    ranges = dense_to_file(verdict.set, verdict.dense_index, offset, offset + length);
    uint64_t covered = 0;
    for (const auto& range : ranges) covered += range.length();
    if (covered != length) return fail(nfs::NFS4ERR_FBIG, "15.1.4.4", "dense offset {} is beyond the largest file", offset);
  } else {
    ranges.push_back({offset, offset + length});
  }
  for (const auto& range : ranges) {
    if (!verdict.covers(access, range))
      return fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6", "{} is outside of what the client's layout lets it {} (of {})",
                  to_string(range), (access & 2u) != 0 ? "write" : "read", to_string(verdict.set.window));
    if (!verdict.set.contains(range))
      return fail(nfs::NFS4ERR_PNFS_IO_HOLE, "13.4.4", "{} is not on this data server's stripes ({})", to_string(range),
                  to_string(verdict.set));
  }
  return {};
}

// For the trace: adjoining ranges as one.
std::string on_device(const std::vector<volume::MappedRange>& ranges) {
  std::string text;
  for (size_t i = 0; i < ranges.size();) {
    const uint64_t begin = ranges[i].volume_offset;
    uint64_t end = begin;
    const bool hole = ranges[i].hole;
    for (; i < ranges.size() && ranges[i].hole == hole && (hole || ranges[i].volume_offset == end); ++i)
      end += ranges[i].length;
    if (!hole) text += fmt::format("{}{}+{}", text.empty() ? "" : ",", begin, end - begin);
  }
  return text;
}

}  // namespace

void IoRight::release() {
  if (ds_ == nullptr) return;
  MdsLink& link = ds_->link();
  ds_ = nullptr;
  std::vector<GrantCache::Gone> gone;
  for (const auto& pin : pins_) {
    const auto freed = link.grants().unpin(pin);
    gone.insert(gone.end(), freed.begin(), freed.end());
  }
  pins_.clear();
  const bool verdict_freed = link.verdicts().unpin(key_, verdict_pin_);
  if (!gone.empty()) link.released(gone);
  if (verdict_freed || link.grants().idle()) link.verdict_released();
}

void IoRight::wrote() const {
  ds_->link().grants().wrote_to(fileid, generation, pins_, file_end);
}

Status check_lease(Ds& ds) {
  if (ds.link().lease_valid()) return {};
  return fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.6",
              "this data server's own lease is not valid: it cannot tell whether the client holds a layout");
}

Status device_failed(Ds& ds, const Error& why, std::string_view section) {
  if (why.code == Errc::fenced) {
    ds.link().fenced();
    return fail(nfs::NFS4ERR_PNFS_NO_LAYOUT, "13.11", "this data server was fenced from the volume: {}", why.reason);
  }
  // A write that was not sent because the lease had run out meanwhile: the client shall go to the MDS, not to its user.
  if (why.code == Errc::closed && !ds.link().lease_valid()) return check_lease(ds);
  if (why.code == Errc::no_space) return {nfs::NFS4ERR_NOSPC, section, why.reason};
  return {nfs::NFS4ERR_IO, section, why.reason};
}

io::Task<Status> take_right(DsContext& context, const nfs::stateid4& argument, Access access, uint64_t offset,
                            uint64_t length, IoRight& out) {
  Ds& ds = context.ds;
  MdsLink& link = ds.link();
  nfs::stateid4 stateid;
  if (auto resolved = context.resolve_stateid(argument, stateid); !resolved) co_return resolved;
  context.trace.stateid = stateid;
  if (is_special(stateid))
    co_return fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "special stateids are never valid at a data server");
  if (ds.options().strict_seqid && stateid.seqid != 0)
    co_return fail(nfs::NFS4ERR_BAD_STATEID, "13.9.1", "seqid {} where a data server must be sent 0", stateid.seqid);

  VerdictCache::Key key;
  key.client = context.clientid();
  key.other = stateid.other.bytes;
  key.filehandle.assign(reinterpret_cast<const char*>(context.current.bytes().data()), context.current.bytes().size());
  const uint32_t wanted = access == Access::write ? 2u : 1u;
  const TimePoint give_up = ds.seams().clock.now() + kPatience;
  bool size_asked = false;
  // Somebody else's answer is waited for once; if that was not enough this request asks for itself.
  bool join_verdict = stateid.seqid == 0, join_grant = true;
  bool judged = false;   // by the MDS, for this very request
  bool refused = false;  // by a verdict that may be out of date: a layout may have been extended since
  std::vector<control::ByteRange> ranges;

  for (;;) {
    if (auto lease = check_lease(ds); !lease) co_return lease;
    if (ds.seams().clock.now() >= give_up)
      co_return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "the MDS has not granted the range in time");

    const Verdict* verdict = link.verdicts().find(key, wanted);
    // A seqid is judged each time: only the latest of a stateid is current.
    if (verdict == nullptr || ((stateid.seqid != 0 || refused) && !judged)) {
      session::Client* client = context.client();
      // Only SEQUENCE may say BADSESSION, and that is what the client's next request hears.
      if (client == nullptr) co_return fail(nfs::NFS4ERR_DELAY, "15.1.1.3", "the session ended while the request waited");
      MdsLink::Question question{client->owner, session::to_string(client->principal), stateid.seqid, wanted};
      MdsLink::Refusal refusal;
      auto asked = co_await link.ask_verdict(context.call, key, std::move(question), refusal,
                                             !refused && std::exchange(join_verdict, false));
      if (!asked) {
        if (asked.error().code != Errc::busy && asked.error().code != Errc::closed) co_return mds_failed(asked.error());
        co_await ds.seams().timers.sleep(kBusyPause);
      } else if (refusal.nfs_status != 0) {
        co_return Status{static_cast<nfs::nfsstat4>(refusal.nfs_status), "13.9.1", std::move(refusal.reason)};
      } else {
        judged = *asked;
      }
      continue;
    }
    if (auto status = to_file_ranges(*verdict, wanted, offset, length, ranges); !status) {
      if (judged) co_return status;
      refused = true;
      continue;
    }

    // From here to the pins nothing is awaited.
    out.ranges.clear();
    std::vector<GrantCache::Pin> pins;
    control::ByteRange missing;
    uint64_t extend = 0;
    bool complete = true;
    for (const auto& range : ranges) {
      auto coverage = link.grants().cover(verdict->fileid, access, range);
      if (!coverage.complete) {
        missing = coverage.missing;
        extend = coverage.extend;
        complete = false;
        break;
      }
      pins.push_back(std::move(coverage.pin));
      out.ranges.insert(out.ranges.end(), coverage.ranges.begin(), coverage.ranges.end());
    }
    const uint64_t file_end = ranges.empty() ? 0 : ranges.back().end;
    const uint64_t known = link.grants().known_size(verdict->fileid);
    // 13.10: what this server believes to be past the end may not be; the MDS knows better.
    const bool ask_size = complete && access == Access::read && file_end > known && !size_asked;
    if (complete && !ask_size) {
      out.verdict_pin_ = link.verdicts().pin(key);
      out.ds_ = &ds;
      out.key_ = std::move(key);
      out.pins_ = std::move(pins);
      out.fileid = verdict->fileid;
      out.generation = verdict->generation;
      out.commit_thru_mds = verdict->commit_thru_mds;
      out.file_end = file_end;
      out.known_size = known;
      context.trace.fileid = verdict->fileid;
      if (ds.trace().enabled(trace::Kind::op)) context.trace.device = on_device(out.ranges);
      co_return Status{};
    }
    for (const auto& pin : pins) {
      const auto gone = link.grants().unpin(pin);
      if (!gone.empty()) link.released(gone);
    }
    if (ask_size) {
      size_asked = true;
      missing = ranges.back();
      extend = pins.empty() || pins.back().grants.empty() ? 0 : pins.back().grants.back();
    }
    auto granted = co_await link.ask_grant(context.call, verdict->fileid, verdict->generation, access, verdict->set, missing,
                                           extend, !ask_size && std::exchange(join_grant, false));
    if (!granted) {
      if (granted.error().code != Errc::busy && granted.error().code != Errc::closed) co_return mds_failed(granted.error());
      co_await ds.seams().timers.sleep(kBusyPause);
    }
  }
}

}  // namespace pnfs::ds
