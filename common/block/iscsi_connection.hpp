// Private to this folder: one login of one libiscsi context, driven by Asio. It is never reused: when the session ends
// for whatever reason, every command completes with Status::lost, and the owner makes a new connection.
// libiscsi's own reconnect stays off: it would put a new socket on the old descriptor number, which epoll does not
// notice, and re-issue every command, whether that is safe or not.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <list>
#include <memory>
#include <optional>

#include "common/block/iscsi_block_store.hpp"
#include "common/block/scsi_command.hpp"
#include "common/io/event.hpp"
#include "common/io/timer_queue.hpp"

struct iscsi_context;
struct scsi_iovec;
struct scsi_task;

namespace pnfs::block {

enum class Direction { none, in, out };

class IscsiConnection : public std::enable_shared_from_this<IscsiConnection> {
 public:
  IscsiConnection(boost::asio::io_context& context, io::TimerQueue& timers);
  ~IscsiConnection();

  // TCP connect and login, within options.login_timeout.
  io::Task<Result<void>> login(const IscsiUrl& url, const IscsiOptions& options);
  // `iov` must stay alive until it returns; it cannot be cancelled, only ended by lose(). Never throws.
  io::Task<Outcome> command(Cdb cdb, Direction direction, std::span<scsi_iovec> iov, uint32_t bytes);
  io::Task<bool> lun_reset();

  // Ends the session at once: all commands complete with Status::lost.
  void lose(std::string reason);
  io::Task<void> logout(Duration patience);
  bool lost() const { return lost_; }
  const std::string& why_lost() const { return why_lost_; }
  io::Event& on_lost() { return lost_event_; }
  // When the oldest command under way was sent.
  std::optional<TimePoint> oldest() const;
  size_t in_flight() const { return operations_.size(); }
  void tick();  // about once a second

 private:
  struct Operation {
    virtual ~Operation() = default;
    virtual void complete(Outcome outcome) = 0;
    IscsiConnection* owner = nullptr;
    TimePoint started;
    scsi_task* task = nullptr;
    std::list<std::unique_ptr<Operation>>::iterator self;
  };
  template <class Handler>
  struct HandlerOperation;

  static void on_step(iscsi_context*, int status, void* data, void* connection);
  static void on_command(iscsi_context*, int status, void* data, void* operation);
  static void on_task_management(iscsi_context*, int status, void* data, void* connection);

  bool submit(Operation& operation, const Cdb& cdb, Direction direction, std::span<scsi_iovec> iov, uint32_t bytes);
  io::Task<bool> wait_step(TimePoint deadline);
  void arm();
  void serve(int events);
  void kick();
  void cork(bool on);
  void tear_down();
  bool peer_closed() const;

  boost::asio::io_context& context_;
  io::TimerQueue& timers_;
  iscsi_context* iscsi_ = nullptr;
  uint32_t lun_ = 0;
  boost::asio::posix::basic_stream_descriptor<io::Executor> descriptor_;
  bool read_armed_ = false, write_armed_ = false;
  unsigned kicked_ = 0;  // commands to be sent in the next turn
  bool serving_ = false;  // inside libiscsi: it must not be torn down under its own feet
  bool progressed_ = false;
  bool resetting_ = false;
  bool ready_ = false;
  bool lost_ = false;
  std::string why_lost_;
  io::Event lost_event_;
  // Connect, login, logout, task management: one at a time.
  std::optional<int> step_status_;
  uint32_t step_response_ = 0;
  io::Event step_event_;
  std::list<std::unique_ptr<Operation>> operations_;  // oldest first
};

}  // namespace pnfs::block
