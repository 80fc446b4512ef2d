#include "common/block/iscsi_connection.hpp"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>

namespace pnfs::block {

namespace asio = boost::asio;

template <class Handler>
struct IscsiConnection::HandlerOperation final : Operation {
  HandlerOperation(io::Executor executor, Handler handler) : executor(executor), handler(std::move(handler)) {}
  void complete(Outcome outcome) override {
    // Never inside libiscsi's service call: whoever waits may submit, or end the session.
    asio::post(executor, [h = std::move(handler), outcome]() mutable { std::move(h)(outcome); });
  }
  io::Executor executor;
  Handler handler;
};

IscsiConnection::IscsiConnection(asio::io_context& context, io::TimerQueue& timers)
    : context_(context),
      timers_(timers),
      descriptor_(context.get_executor()),
      lost_event_(context.get_executor()),
      step_event_(context.get_executor()) {}

IscsiConnection::~IscsiConnection() {
  tear_down();
}

// --- login ---

void IscsiConnection::on_step(iscsi_context*, int status, void*, void* connection) {
  auto* self = static_cast<IscsiConnection*>(connection);
  self->progressed_ = true;
  self->step_status_ = status;
  self->step_event_.notify_all();
}

io::Task<bool> IscsiConnection::wait_step(TimePoint deadline) {
  const auto timer = timers_.schedule(deadline, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->step_event_.notify_all();
  });
  while (!step_status_ && !lost_ && timers_.now() < deadline) co_await step_event_.wait();
  timers_.cancel(timer);
  co_return step_status_.has_value();
}

io::Task<Result<void>> IscsiConnection::login(const IscsiUrl& url, const IscsiOptions& options) {
  const auto keep = shared_from_this();
  const TimePoint deadline = timers_.now() + options.login_timeout;
  const std::string portal = url.portal();
  lun_ = url.lun;
  iscsi_ = iscsi_create_context(options.initiator_name.c_str());
  if (iscsi_ == nullptr) co_return error(Errc::invalid, "'{}' is not an initiator name", options.initiator_name);
  iscsi_set_noautoreconnect(iscsi_, 1);
  iscsi_set_targetname(iscsi_, url.target.c_str());
  iscsi_set_session_type(iscsi_, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(iscsi_, ISCSI_HEADER_DIGEST_NONE_CRC32C);
  iscsi_set_immediate_data(iscsi_, ISCSI_IMMEDIATE_DATA_YES);
  iscsi_set_initial_r2t(iscsi_, ISCSI_INITIAL_R2T_NO);
  iscsi_set_isid_random(iscsi_, options.isid.random & 0xffffff, options.isid.qualifier);
  if (!url.user.empty()) iscsi_set_initiator_username_pwd(iscsi_, url.user.c_str(), url.password.c_str());
  if (!url.target_user.empty())
    iscsi_set_target_username_pwd(iscsi_, url.target_user.c_str(), url.target_password.c_str());

  if (iscsi_connect_async(iscsi_, portal.c_str(), on_step, this) != 0) {
    co_return error(Errc::refused, "no iSCSI target answers at {} ({})", portal, iscsi_get_error(iscsi_));
  }
  boost::system::error_code ec;
  descriptor_.assign(iscsi_get_fd(iscsi_), ec);
  if (ec) co_return error(Errc::io, "watching the connection to {}: {}", portal, ec.message());
  arm();
  bool answered = co_await wait_step(deadline);
  if (!answered && !lost_) co_return error(Errc::timeout, "no connection to {} within the time allowed", portal);
  if (!answered || *step_status_ != SCSI_STATUS_GOOD) {
    co_return error(Errc::refused, "no iSCSI target answers at {}; is it running there (pnfslab up, or pnfs-target)?",
                    portal);
  }
  step_status_.reset();
  if (iscsi_login_async(iscsi_, on_step, this) != 0) {
    co_return error(Errc::io, "logging in at {}: {}", portal, iscsi_get_error(iscsi_));
  }
  arm();
  answered = co_await wait_step(deadline);
  if (!answered && !lost_)
    co_return error(Errc::timeout, "the target at {} did not complete the login in time", portal);
  if (!answered) co_return error(Errc::closed, "the target at {} closed the connection during login", portal);
  if (*step_status_ != SCSI_STATUS_GOOD) {
    const std::string said = iscsi_ != nullptr ? iscsi_get_error(iscsi_) : "";
    // libiscsi gives the login status (RFC 7143 11.13.5) only in words: class 2, details 1 to 3.
    if (said.find("(513)") != said.npos || said.find("(514)") != said.npos) {
      co_return error(Errc::permission, "the target {} at {} refused the login ({}); check CHAP user and ACL",
                      url.target, portal, said);
    }
    if (said.find("(515)") != said.npos) {
      co_return error(Errc::not_found, "there is no target {} at {}", url.target, portal);
    }
    co_return error(Errc::refused, "the target {} at {} refused the login: {}", url.target, portal, said);
  }
  step_status_.reset();
  ready_ = true;
  co_return Result<void>();
}

// --- the descriptor ---

void IscsiConnection::arm() {
  if (lost_ || iscsi_ == nullptr) return;
  const int events = iscsi_which_events(iscsi_);
  if ((events & POLLIN) != 0 && !read_armed_) {
    read_armed_ = true;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read,
                           [self = shared_from_this()](boost::system::error_code ec) {
                             self->read_armed_ = false;
                             if (!ec) self->serve(POLLIN);
                           });
  }
  if ((events & POLLOUT) != 0 && !write_armed_) {
    write_armed_ = true;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_write,
                           [self = shared_from_this()](boost::system::error_code ec) {
                             self->write_armed_ = false;
                             if (!ec) self->serve(POLLOUT);
                           });
  }
}

void IscsiConnection::serve(int events) {
  if (lost_ || iscsi_ == nullptr) return;
  serving_ = true;
  progressed_ = false;
  const int result = iscsi_service(iscsi_, events);
  serving_ = false;
  if (lost_) {
    tear_down();
  } else if (result < 0) {
    lose(fmt::format("connection failed: {}", iscsi_get_error(iscsi_)));
  } else if ((events & POLLIN) != 0 && !progressed_ && peer_closed()) {
    // With its reconnect off libiscsi says nothing when the peer goes away while no command is under way.
    lose("the target closed the connection");
  } else {
    arm();
  }
}

bool IscsiConnection::peer_closed() const {
  char byte;
  return recv(iscsi_get_fd(iscsi_), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// Sends what was submitted in this turn of the loop, without a detour through epoll. libiscsi sends each command on its
// own: several leave in one segment only under a cork.
void IscsiConnection::kick() {
  if (kicked_++ > 0) return;
  asio::post(context_, [self = shared_from_this()] {
    const bool several = std::exchange(self->kicked_, 0) > 1;
    if (several) self->cork(true);
    self->serve(POLLOUT);
    if (several) self->cork(false);
  });
}

void IscsiConnection::cork(bool on) {
  const int value = on ? 1 : 0;
  if (iscsi_ != nullptr) setsockopt(iscsi_get_fd(iscsi_), IPPROTO_TCP, TCP_CORK, &value, sizeof value);
}

void IscsiConnection::tick() {
  if (ready_) serve(0);
}

void IscsiConnection::lose(std::string reason) {
  if (lost_) return;
  lost_ = true;
  ready_ = false;
  why_lost_ = std::move(reason);
  if (!serving_) tear_down();
  lost_event_.notify_all();
  step_event_.notify_all();
}

void IscsiConnection::tear_down() {
  lost_ = true;
  if (iscsi_ == nullptr) return;
  // The socket is libiscsi's; release() ends our waits without closing it.
  if (descriptor_.is_open()) descriptor_.release();
  iscsi_context* const iscsi = std::exchange(iscsi_, nullptr);
  serving_ = true;  // callbacks below must not come back here
  iscsi_destroy_context(iscsi);
  serving_ = false;
  // Commands that libiscsi holds in none of its queues, as when it logs out because the target asked for it.
  while (!operations_.empty()) {
    const auto operation = std::move(operations_.front());
    operations_.pop_front();
    if (operation->task != nullptr) scsi_free_scsi_task(operation->task);
    Outcome outcome;
    outcome.status = Status::lost;
    operation->complete(outcome);
  }
}

// --- commands ---

void IscsiConnection::on_command(iscsi_context*, int status, void*, void* data) {
  auto* const raw = static_cast<Operation*>(data);
  IscsiConnection& self = *raw->owner;
  const std::unique_ptr<Operation> operation = std::move(*raw->self);
  self.operations_.erase(raw->self);
  self.progressed_ = true;

  Outcome outcome;
  outcome.raw_status = static_cast<uint32_t>(status);
  const scsi_task& task = *operation->task;
  switch (status) {
    case SCSI_STATUS_GOOD:
      outcome.status = Status::good;
      if (task.residual_status == SCSI_RESIDUAL_UNDERFLOW) outcome.residual = static_cast<uint32_t>(task.residual);
      break;
    case SCSI_STATUS_CHECK_CONDITION:
      outcome.status = Status::check_condition;
      outcome.key = static_cast<SenseKey>(task.sense.key);
      outcome.asc = static_cast<uint16_t>(task.sense.ascq);
      break;
    case SCSI_STATUS_BUSY:
    case SCSI_STATUS_RESERVATION_CONFLICT:
    case SCSI_STATUS_TASK_SET_FULL:
    case SCSI_STATUS_TASK_ABORTED:
      outcome.status = static_cast<Status>(status);
      break;
    case SCSI_STATUS_CANCELLED:
    case SCSI_STATUS_TIMEOUT:
    case SCSI_STATUS_ERROR:
      if (self.resetting_) {
        outcome.status = Status::task_aborted;
        break;
      }
      outcome.status = Status::lost;
      self.lose("commands were cancelled: the connection broke");
      break;
    default:
      outcome.status = Status::other;
  }
  scsi_free_scsi_task(operation->task);
  operation->complete(outcome);
}

bool IscsiConnection::submit(Operation& operation, const Cdb& cdb, Direction direction, std::span<scsi_iovec> iov,
                             uint32_t bytes) {
  if (lost_ || !ready_) return false;
  Cdb copy = cdb;
  const int transfer = direction == Direction::none ? SCSI_XFER_NONE
                       : direction == Direction::in ? SCSI_XFER_READ
                                                    : SCSI_XFER_WRITE;
  operation.task = scsi_create_task(copy.size, copy.bytes.data(), transfer, static_cast<int>(bytes));
  if (operation.task == nullptr) return false;
  if (direction == Direction::in) scsi_task_set_iov_in(operation.task, iov.data(), static_cast<int>(iov.size()));
  if (direction == Direction::out) scsi_task_set_iov_out(operation.task, iov.data(), static_cast<int>(iov.size()));
  if (iscsi_scsi_command_async(iscsi_, static_cast<int>(lun_), operation.task, on_command, nullptr, &operation) != 0) {
    scsi_free_scsi_task(std::exchange(operation.task, nullptr));
    lose(fmt::format("a command could not be queued: {}", iscsi_get_error(iscsi_)));
    return false;
  }
  kick();
  return true;
}

io::Task<Outcome> IscsiConnection::command(Cdb cdb, Direction direction, std::span<scsi_iovec> iov, uint32_t bytes) {
  const auto keep = shared_from_this();
  auto initiate = [this, &cdb, direction, iov, bytes](auto handler) {
    using Handler = decltype(handler);
    const auto at = operations_.insert(
        operations_.end(), std::make_unique<HandlerOperation<Handler>>(context_.get_executor(), std::move(handler)));
    Operation& operation = **at;
    operation.owner = this;
    operation.self = at;
    operation.started = timers_.now();
    if (submit(operation, cdb, direction, iov, bytes)) return;
    // Losing the session may have completed it already.
    for (auto it = operations_.begin(); it != operations_.end(); ++it) {
      if (it->get() != &operation) continue;
      const auto owned = std::move(*it);
      operations_.erase(it);
      Outcome outcome;
      outcome.status = Status::lost;
      owned->complete(outcome);
      return;
    }
  };
  co_return co_await asio::async_initiate<decltype(io::use_task), void(Outcome)>(initiate, io::use_task);
}

std::optional<TimePoint> IscsiConnection::oldest() const {
  if (operations_.empty()) return std::nullopt;
  return operations_.front()->started;
}

void IscsiConnection::on_task_management(iscsi_context*, int status, void* data, void* connection) {
  auto* self = static_cast<IscsiConnection*>(connection);
  if (status == SCSI_STATUS_GOOD && data != nullptr) self->step_response_ = *static_cast<uint32_t*>(data);
  on_step(nullptr, status, data, connection);
}

io::Task<bool> IscsiConnection::lun_reset() {
  const auto keep = shared_from_this();
  if (lost_ || !ready_) co_return false;
  step_status_.reset();
  step_response_ = ISCSI_TMR_FUNC_REJECTED;
  // libiscsi cancels every command of the unit inside this call; the session itself lives on.
  resetting_ = true;
  const int failed = iscsi_task_mgmt_lun_reset_async(iscsi_, lun_, on_task_management, this);
  resetting_ = false;
  if (failed != 0) co_return false;
  kick();
  const bool answered = co_await wait_step(timers_.now() + std::chrono::seconds(5));
  co_return answered&& step_response_ == ISCSI_TMR_FUNC_COMPLETE;
}

io::Task<void> IscsiConnection::logout(Duration patience) {
  const auto keep = shared_from_this();
  if (ready_ && !lost_) {
    step_status_.reset();
    if (iscsi_logout_async(iscsi_, on_step, this) == 0) {
      kick();
      co_await wait_step(timers_.now() + patience);
    }
  }
  lose("logged out");
}

}  // namespace pnfs::block
