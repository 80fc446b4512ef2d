#include "ds/mds_link.hpp"

#include "common/block/block_store.hpp"
#include "common/control/verifier.hpp"
#include "common/volume/volume.hpp"

namespace pnfs::ds {

using namespace control;

namespace {

using namespace std::chrono_literals;

constexpr Duration kConnectTimeout = 2s;
constexpr Duration kRetryFirst = 50ms;
constexpr Duration kRetryMost = 1s;
constexpr size_t kMostReturned = 4096;  // GRANT_RETURNargs

}  // namespace

Error error_of(control_status status, std::string_view reason) {
  switch (status) {
    case CTL_DELAY:
      return error(Errc::busy, "{}", reason);
    case CTL_NO_SPACE:
      return error(Errc::no_space, "{}", reason);
    case CTL_NOT_FOUND:
      return error(Errc::not_found, "{}", reason);
    case CTL_REFUSED:
      return error(Errc::refused, "{}", reason);
    case CTL_INVALID:
      return error(Errc::invalid, "{}", reason);
    case CTL_IO:
      return error(Errc::io, "{}", reason);
    default:
      return error(Errc::closed, "{}: {}", to_string(status), reason);
  }
}

MdsLink::MdsLink(const Options& options, const Seams& seams)
    : ControlService({options.node, &seams.timers, seams.trace, seams.faults}),
      options_(options), seams_(seams), client_(seams.network, seams.timers), released_(seams.executor), questions_(seams.executor) {
  client_.add_service(*this);
  seams_.store.set_write_gate([this] { return lease_valid(); });
}

MdsLink::~MdsLink() {
  seams_.store.set_write_gate({});
}

bool MdsLink::lease_valid() const {
  return member_ && seams_.clock.now() < lease_until_;
}

std::shared_ptr<rpc::Connection> MdsLink::live() const {
  return connection_ == nullptr || connection_->closed() ? nullptr : connection_;
}

void MdsLink::fenced() {
  if (!member_) return;
  spdlog::warn("{}: the device refuses this node: it was fenced; joining again under a new key", options_.node);
  ++counters_.fenced;
  member_ = false;
  need_new_life_ = true;
  if (connection_ != nullptr) connection_->close("fenced");
}

bool MdsLink::write_verifier(bool thru_mds, std::array<std::byte, 8>& out) const {
  const uint64_t store_epoch = seams_.store.epoch();
  if (!thru_mds) {
    out = server_verifier(write_epoch_, store_epoch, instance_ + sizes_lost_);
    return true;
  }
  out = volume_verifier(write_epoch_, mds_instance_);
  return store_epoch == told_store_epoch_;
}

void MdsLink::released(const std::vector<GrantCache::Gone>& gone) {
  for (const auto& grant : gone) gone_[grant.id] = grant.written_end;
  released_.notify_all();
}

// What clients have written and not committed may lie beyond the size that the MDS knows, and nobody is left to tell it:
// they shall write it again. `instance_` is random: a sum with a small number is no verifier of another life.
void MdsLink::sizes_are_lost() {
  if (grants_.forget_untold()) ++sizes_lost_;
}

// Nothing may start, and what runs ends: then nothing of the old epoch or life is left.
io::Task<void> MdsLink::drop_everything() {
  member_ = false;
  if (left_out(step::kDropGrants)) co_return;
  verdicts_.revoke(0, Other{});
  grants_.drop_all();
  while (!grants_.idle() || !verdicts_.settled(0, Other{})) co_await released_.wait();
  gone_.clear();
  sizes_are_lost();
}

// SPC-4 5.12: the key under which this node may write while the volume is reserved for registrants.
io::Task<Result<void>> MdsLink::register_key() {
  if (!seams_.store.geometry().persistent_reservations) {
    key_ = 0;
    co_return Result<void>{};
  }
  do {
    key_ = seams_.random.next();
  } while (key_ == 0);
  auto registered = co_await seams_.store.register_key(key_);
  if (!registered && registered.error().code == Errc::unsupported) {
    key_ = 0;
    co_return Result<void>{};
  }
  co_return registered;
}

io::Task<Result<void>> MdsLink::connect_and_register() {
  if (need_new_life_) {
    co_await drop_everything();
    do {
      instance_ = seams_.random.next();
    } while (instance_ == 0);
    auto registered = co_await register_key();
    if (!registered) co_return registered.error().with_context("registering this node's key with the device");
    need_new_life_ = false;
    ++counters_.lives;
  }
  auto superblock = co_await volume::probe(seams_.store);
  if (!superblock) co_return superblock.error();
  auto owner = co_await volume::read_owner(seams_.store, *superblock);
  if (!owner) co_return owner.error();
  if (!owner->active) co_return error(Errc::not_found, "no MDS has the volume mounted");
  identity_.volume_uuid = superblock->uuid;

  if (live() == nullptr) {
    auto connected = co_await client_.connect(options_.mds, kConnectTimeout);
    if (!connected) co_return connected.error().with_context("the MDS at " + io::to_string(options_.mds));
    connection_ = *connected;
  }
  auto connection = connection_;
  std::vector<ctl_address> addresses;
  std::vector<std::string> ips;
  ips.reserve(identity_.addresses.size());
  for (const auto& at : identity_.addresses) {
    ips.push_back(at.address().is_unspecified() ? std::string() : at.address().to_string());
    ctl_address address;
    address.ip.text = ips.back();
    address.port = at.port();
    addresses.push_back(address);
  }
  REGISTERargs args;
  args.volume_uuid.bytes = identity_.volume_uuid;
  args.owner_instance = owner->instance;
  args.node.text = options_.node;
  args.instance = instance_;
  args.reservation_key = key_;
  args.store_epoch = seams_.store.epoch();
  args.so_major_id.text = identity_.major_id;
  args.addresses.items = addresses;
  const uint64_t told = args.store_epoch;
  auto answer = co_await call<REGISTERres>(connection, CTLPROC_REGISTER, args, kCallTimeout);
  if (!answer) co_return answer.error();
  if (answer->res.status == CTL_NOT_MEMBER) need_new_life_ = true;
  if (answer->res.status != CTL_OK) co_return error_of(answer->res.status, answer->res.reason.text);
  const REGISTERok& ok = answer->res.ok;
  node_id_ = ok.node_id;
  node_lease_ = std::chrono::milliseconds(ok.node_lease_ms);
  client_lease_ = std::chrono::milliseconds(ok.client_lease_ms);
  server_scope_ = ok.server_scope.text;
  takes_mds_handles_ = ok.takes_mds_handles;
  mds_instance_ = ok.mds_instance;
  write_epoch_ = std::max(write_epoch_, ok.write_epoch);
  told_store_epoch_ = told;
  if (ok.mds_epoch != mds_epoch_) {
    const uint64_t epoch = ok.mds_epoch;
    co_await drop_everything();
    mds_epoch_ = epoch;
  } else {
    sizes_are_lost();  // a grant may have been given back over the connection that broke
  }
  co_return co_await renew();
}

io::Task<Result<void>> MdsLink::renew() {
  auto connection = live();
  if (connection == nullptr) co_return error(Errc::closed, "no connection to the MDS");
  RENEWargs args;
  args.node_id = node_id_;
  args.mds_epoch = mds_epoch_;
  args.store_epoch = seams_.store.epoch();
  const uint64_t told = args.store_epoch;
  const TimePoint sent = seams_.clock.now();
  auto answer = co_await call<RENEWres>(connection, CTLPROC_RENEW, args, std::max<Duration>(node_lease_ / 2, 100ms));
  if (!answer) co_return answer.error();
  if (need_new_life_) co_return error(Errc::fenced, "fenced while the lease was being renewed");
  if (answer->res.status != CTL_OK) co_return error_of(answer->res.status, answer->res.reason.text);
  // Counted from when the call was sent: the MDS counts from later.
  lease_until_ = sent + node_lease_;
  write_epoch_ = std::max(write_epoch_, answer->res.ok.write_epoch);
  told_store_epoch_ = told;
  member_ = true;
  co_return Result<void>{};
}

io::Task<Result<void>> MdsLink::join(Identity identity) {
  identity_ = std::move(identity);
  const TimePoint give_up = seams_.clock.now() + options_.join_timeout;
  Duration pause = kRetryFirst;
  for (;;) {
    auto joined = co_await connect_and_register();
    if (joined) co_return joined;
    const bool final = joined.error().code == Errc::refused && live() != nullptr;
    if (final || seams_.clock.now() >= give_up)
      co_return error(joined.error().code, "this data server could not join the cluster: {}", joined.error().reason);
    spdlog::debug("{}: not joined yet: {}", options_.node, joined.error().reason);
    co_await seams_.timers.sleep(pause);
    pause = std::min(pause * 2, kRetryMost);
  }
}

io::Task<void> MdsLink::keep_lease() {
  Duration pause = kRetryFirst;
  for (;;) {
    if (member_) {
      co_await seams_.timers.sleep(live() == nullptr ? kRetryFirst : node_lease_ / 4);
      if (seams_.store.epoch() != told_store_epoch_ || live() != nullptr) {
        auto renewed = co_await renew();
        if (renewed) {
          pause = kRetryFirst;
          co_await return_surplus();
          continue;
        }
        spdlog::debug("{}: the lease was not renewed: {}", options_.node, renewed.error().reason);
      }
    }
    if (member_ && !lease_valid()) {
      spdlog::warn("{}: the lease ran out; nothing is served until the MDS takes this node back", options_.node);
      need_new_life_ = true;
    }
    auto joined = co_await connect_and_register();
    if (joined) {
      pause = kRetryFirst;
      continue;
    }
    spdlog::debug("{}: not joined: {}", options_.node, joined.error().reason);
    co_await seams_.timers.sleep(pause);
    pause = std::min(pause * 2, kRetryMost);
  }
}

io::Task<void> MdsLink::return_surplus() {
  const auto surplus = grants_.surplus(options_.keep_grants);
  if (!surplus.empty()) co_await give_back(surplus, kCallTimeout);
}

io::Task<void> MdsLink::give_back(const std::vector<GrantCache::Gone>& grants, Duration timeout) {
  std::vector<grant_end> ends;
  for (const auto& gone : grants) {
    ends.push_back({gone.id, gone.written_end});
    // Should this call get lost, the MDS will revoke them, and hear of it then.
    if (gone.written_end != 0) gone_[gone.id] = gone.written_end;
  }
  auto connection = live();
  for (size_t at = 0; at < ends.size() && connection != nullptr; at += kMostReturned) {
    GRANT_RETURNargs args;
    args.node_id = node_id_;
    args.mds_epoch = mds_epoch_;
    args.grants.items = std::span(ends).subspan(at, std::min(kMostReturned, ends.size() - at));
    auto answer = co_await call<STATUSres>(connection, CTLPROC_GRANT_RETURN, args, timeout);
    if (!answer) co_return;  // the MDS will ask for them; an unknown id is answered as gone
  }
}

io::Task<void> MdsLink::stop(bool clean) {
  const bool was_member = member_;
  member_ = false;
  if (clean && was_member && live() != nullptr) {
    // What is returned in good order costs nobody a wait.
    while (!grants_.idle()) co_await released_.wait();
    co_await give_back(grants_.surplus(0), kConnectTimeout);
    LEAVEargs args;
    args.node_id = node_id_;
    args.mds_epoch = mds_epoch_;
    if (auto connection = live()) {
      auto left = co_await call<STATUSres>(connection, CTLPROC_LEAVE, args, kConnectTimeout);
      if (left && left->res.status == CTL_OK && key_ != 0) {
        auto unregistered = co_await seams_.store.register_key(0);
        if (!unregistered) spdlog::debug("{}: {}", options_.node, unregistered.error().reason);
      }
    }
  }
  co_await client_.stop();
}

}  // namespace pnfs::ds
