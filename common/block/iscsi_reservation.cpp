// Persistent reservations (SPC-4 5.12). A PR OUT whose answer was lost is never sent again: the caller looks at
// reservation() and decides.
#include "common/block/iscsi_store_impl.hpp"

namespace pnfs::block {

namespace {
constexpr uint8_t kReadKeys = 0, kReadReservation = 1;
constexpr uint8_t kReserve = 1, kRelease = 2, kPreempt = 4, kPreemptAndAbort = 5, kRegisterAndIgnore = 6;
constexpr uint8_t kWriteExclusiveRegistrantsOnly = 5;
constexpr size_t kMaxKeys = 1024;
}  // namespace

io::Task<Result<std::vector<uint64_t>>> IscsiBlockStore::read_keys(std::shared_ptr<IscsiConnection> connection,
                                                                   uint32_t* generation) {
  std::vector<std::byte> page(8 + 8 * kMaxKeys);
  const Result<size_t> got = co_await fetch(connection, cdb_pr_in(kReadKeys, static_cast<uint16_t>(page.size())), page);
  if (!got) co_return got.error();
  if (*got < 8) co_return error(Errc::protocol, "{}: a truncated list of reservation keys", name());
  const size_t keys = std::min<size_t>(be32(page, 4), *got - 8) / 8;
  std::vector<uint64_t> found;
  for (size_t i = 0; i < keys; ++i) found.push_back(be64(page, 8 + 8 * i));
  if (generation != nullptr) *generation = be32(page, 0);
  co_return found;
}

io::Task<Result<void>> IscsiBlockStore::check_registration(std::shared_ptr<IscsiConnection> connection) {
  const Result<std::vector<uint64_t>> keys = co_await read_keys(connection, nullptr);
  if (!keys) co_return keys.error();
  if (key_ != 0 && std::find(keys->begin(), keys->end(), key_) == keys->end() && !fenced_) {
    spdlog::warn("{}: registration key {:#x} is gone from the LUN: this node was fenced", name(), key_);
    fenced_ = true;
  }
  co_return Result<void>();
}

io::Task<Result<void>> IscsiBlockStore::reserve_out(uint8_t service_action, uint64_t key, uint64_t action_key,
                                                    bool with_type) {
  if (!geometry_.persistent_reservations) {
    co_return error(Errc::unsupported, "{} has no persistent reservations", name());
  }
  std::array<std::byte, 24> parameters{};
  put_be64(parameters, 0, key);
  put_be64(parameters, 8, action_key);
  if (service_action == kRegisterAndIgnore && aptpl_) parameters[20] = std::byte{1};
  scsi_iovec iov{parameters.data(), parameters.size()};
  Command command;
  command.cdb = cdb_pr_out(service_action, with_type ? kWriteExclusiveRegistrantsOnly : 0);
  command.direction = Direction::out;
  command.iov = std::span(&iov, 1);
  command.bytes = parameters.size();
  command.repeat = Repeat::no;
  command.when_fenced = WhenFenced::send;
  co_return co_await run_to_success(command, "persistent reserve out");
}

io::Task<Result<void>> IscsiBlockStore::register_key(uint64_t key) {
  Result<void> ok = co_await reserve_out(kRegisterAndIgnore, 0, key, false);
  if (!ok && ok.error().code == Errc::closed) {
    // Registering is idempotent: look, and say it worked when it did.
    const Result<Reservation> now = co_await reservation();
    if (now && key != 0 && std::find(now->keys.begin(), now->keys.end(), key) != now->keys.end()) ok = Result<void>();
  }
  if (!ok) co_return ok.error();
  key_ = key;
  fenced_ = false;
  if (!ask_again_ || key == 0) co_return Result<void>();
  const Result<std::shared_ptr<IscsiConnection>> turn = co_await wait_for_turn(timers_.now() + options_.retry_for);
  if (!turn) co_return turn.error();
  const std::shared_ptr<IscsiConnection> connection = *turn;
  const Slot slot(*this);
  // Without an answer what is known stays the careful guess it was.
  (void)co_await discover_for_registered(connection);
  co_return Result<void>();
}

io::Task<Result<void>> IscsiBlockStore::reserve(uint64_t key) {
  return reserve_out(kReserve, key, 0, true);
}

io::Task<Result<void>> IscsiBlockStore::release(uint64_t key) {
  return reserve_out(kRelease, key, 0, true);
}

io::Task<Result<void>> IscsiBlockStore::preempt(uint64_t key, uint64_t victim, bool abort) {
  if (!abort) co_return co_await reserve_out(kPreempt, key, victim, true);
  if (geometry_.preempt_and_abort) {
    Result<void> both = co_await reserve_out(kPreemptAndAbort, key, victim, true);
    if (both || both.error().code != Errc::unsupported) co_return both;
    // tgt lists the service action among the supported ones and then refuses it.
    spdlog::warn("{}: no PREEMPT AND ABORT; PREEMPT and LOGICAL UNIT RESET are used instead", name());
    geometry_.preempt_and_abort = false;
  }
  // Without PREEMPT AND ABORT the victim's commands may still be under way: a reset ends them. Also when the key is gone
  // already (a conflict): who took it away may not have got as far as the reset.
  Result<void> ok = co_await reserve_out(kPreempt, key, victim, true);
  if (!ok && ok.error().code != Errc::fenced) co_return ok.error();
  const std::shared_ptr<IscsiConnection> connection = connection_;
  bool reset = false;
  if (connection) reset = co_await connection->lun_reset();
  if (!reset) {
    co_return error(Errc::io, "{}: the node was preempted, but LOGICAL UNIT RESET failed: its last writes may still land",
                    name());
  }
  co_return ok;
}

io::Task<Result<Reservation>> IscsiBlockStore::reservation() {
  if (!geometry_.persistent_reservations) {
    co_return error(Errc::unsupported, "{} has no persistent reservations", name());
  }
  const Result<std::shared_ptr<IscsiConnection>> turn = co_await wait_for_turn(timers_.now() + options_.retry_for);
  if (!turn) co_return turn.error();
  const std::shared_ptr<IscsiConnection> connection = *turn;
  const Slot slot(*this);
  Reservation result;
  const Result<std::vector<uint64_t>> keys = co_await read_keys(connection, &result.generation);
  std::array<std::byte, 24> page{};
  Result<size_t> got = co_await fetch(connection, cdb_pr_in(kReadReservation, 24), page);
  if (!keys) co_return keys.error();
  if (!got) co_return got.error();
  result.keys = *keys;
  if (*got >= 24 && be32(page, 4) >= 16) {
    result.holder = be64(page, 8);
    result.type = static_cast<uint8_t>(page[21]) & 0x0f;
  }
  co_return result;
}

}  // namespace pnfs::block
