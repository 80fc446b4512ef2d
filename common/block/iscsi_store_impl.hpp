// Private to this folder: the store above the connections: one at a time, made anew when lost.
#pragma once

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <boost/container/small_vector.hpp>

#include "common/block/iscsi_connection.hpp"
#include "common/io/task_group.hpp"

namespace pnfs::block {

using IoVector = boost::container::small_vector<scsi_iovec, 8>;

class IscsiBlockStore final : public BlockStore {
 public:
  IscsiBlockStore(boost::asio::io_context& context, io::TimerQueue& timers, IscsiUrl url, IscsiOptions options);
  ~IscsiBlockStore() override;

  io::Task<Result<void>> start();

  const Geometry& geometry() const override { return geometry_; }
  std::string name() const override { return url_.display(); }
  io::Task<Result<void>> read(uint64_t offset, std::span<const Piece> into) override;
  io::Task<Result<void>> write(uint64_t offset, std::span<const ConstPiece> from, Fua fua) override;
  io::Task<Result<void>> flush() override;
  io::Task<Result<void>> zero(uint64_t offset, uint64_t length) override;
  io::Task<Result<bool>> compare_and_write(uint64_t offset, ConstPiece expected, ConstPiece wanted) override;
  uint64_t epoch() const override { return epoch_; }
  io::Task<Result<void>> register_key(uint64_t key) override;
  io::Task<Result<void>> reserve(uint64_t key) override;
  io::Task<Result<void>> release(uint64_t key) override;
  io::Task<Result<void>> preempt(uint64_t key, uint64_t victim, bool abort) override;
  io::Task<Result<Reservation>> reservation() override;
  void set_write_gate(std::function<bool()> gate) override { write_gate_ = std::move(gate); }
  io::Task<void> close() override;

 private:
  // What may be sent again when its outcome is unknown.
  enum class Repeat { yes, no };
  // Which commands a fenced store still sends.
  enum class WhenFenced { refuse, send };

  struct Command {
    Cdb cdb;
    Direction direction = Direction::none;
    std::span<scsi_iovec> iov;
    uint32_t bytes = 0;
    Repeat repeat = Repeat::yes;
    WhenFenced when_fenced = WhenFenced::refuse;
    bool may_differ = false;  // MISCOMPARE is an answer, not an error
  };

  // A place in the queue, taken by wait_for_turn().
  struct Slot {
    explicit Slot(IscsiBlockStore& store) : store(store) {}
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot() { give_back(); }
    void give_back() {
      if (!std::exchange(held, false)) return;
      --store.in_flight_;
      store.slot_free_.notify_one();
    }
    IscsiBlockStore& store;
    bool held = true;
  };

  // Sends until it succeeded, failed for good, or retry_for has passed.
  io::Task<Result<Outcome>> run(Command command);
  io::Task<Result<void>> run_to_success(Command command, const char* what);
  // nullopt: send again. Otherwise what the caller gets.
  std::optional<Result<Outcome>> judge(const Outcome& outcome, const Command& command);
  io::Task<Result<std::shared_ptr<IscsiConnection>>> wait_for_turn(TimePoint deadline);
  io::Task<bool> wait_until(io::Event& event, TimePoint deadline);
  io::Task<Result<void>> transfer(Direction direction, uint64_t offset, uint64_t length, IoVector iov, Fua fua);
  Result<void> check_range(uint64_t offset, uint64_t length) const;

  static io::Task<void> maintain(IscsiBlockStore& self);
  static io::Task<void> watch(IscsiBlockStore& self);
  io::Task<Result<void>> connect();
  // On a fresh connection, before commands of callers are let through.
  io::Task<Result<void>> wait_ready(std::shared_ptr<IscsiConnection> connection, TimePoint deadline);
  io::Task<Result<void>> discover(std::shared_ptr<IscsiConnection> connection);
  io::Task<void> discover_provisioning(std::shared_ptr<IscsiConnection> connection);
  io::Task<void> discover_reservations(std::shared_ptr<IscsiConnection> connection);
  io::Task<Result<void>> discover_for_registered(std::shared_ptr<IscsiConnection> connection);
  // Fetches at most `into.size()` bytes; how many came. Errors: unsupported (the unit does not know the command), fenced
  // (another node's reservation forbids it), closed, timeout.
  io::Task<Result<size_t>> fetch(std::shared_ptr<IscsiConnection> connection, Cdb cdb, std::span<std::byte> into);
  io::Task<Result<std::vector<uint64_t>>> read_keys(std::shared_ptr<IscsiConnection> connection, uint32_t* generation);
  io::Task<Result<void>> check_registration(std::shared_ptr<IscsiConnection> connection);
  io::Task<Result<void>> reserve_out(uint8_t service_action, uint64_t key, uint64_t action_key, bool with_type);
  io::Task<Result<void>> write_same(uint64_t offset, uint64_t length);
  io::Task<Result<void>> write_zeros(uint64_t offset, uint64_t length);
  void warn_once(bool& warned, std::string_view text);

  boost::asio::io_context& context_;
  io::TimerQueue& timers_;
  IscsiUrl url_;
  IscsiOptions options_;
  Geometry geometry_;
  uint32_t max_transfer_bytes_ = 1 << 20;
  uint64_t max_write_same_bytes_ = 8 << 20;
  bool write_same_ = true;
  bool write_same_unmap_ = false;
  bool aptpl_ = false;
  bool ask_again_ = false;  // another node's reservation kept us from learning all of the above

  std::shared_ptr<IscsiConnection> connection_;  // null while there is none that may be used
  io::Event connected_;
  io::Event slot_free_;
  uint32_t in_flight_ = 0;
  uint64_t epoch_ = 1;
  uint64_t key_ = 0;  // what we registered
  bool fenced_ = false;
  bool check_needed_ = false;  // a unit attention said that reservations changed
  std::function<bool()> write_gate_;
  bool closed_ = false;
  std::string last_trouble_;
  io::TaskGroup group_;
};

}  // namespace pnfs::block
