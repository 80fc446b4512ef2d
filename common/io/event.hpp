// Lets coroutines of one executor wait for one another: wait() suspends until the next notify_all(). There is no
// memory of past notifications: check the condition, then wait, then check again (nothing runs in between).
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <list>
#include <memory>

#include "common/io/task.hpp"

namespace pnfs::io {

class Event {
 public:
  explicit Event(Executor executor) : executor_(executor), waiters_(std::make_shared<Waiters>()) {}

  // Cancelled waits throw operation_aborted.
  Task<void> wait();
  void notify_all();
  void notify_one();

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void complete(boost::system::error_code ec) = 0;
  };
  using Waiters = std::list<std::unique_ptr<Waiter>>;

  template <class Handler>
  struct HandlerWaiter final : Waiter {
    HandlerWaiter(Executor executor, Handler handler) : executor(executor), handler(std::move(handler)) {}
    void complete(boost::system::error_code ec) override {
      asio::post(executor, [h = std::move(handler), ec]() mutable { std::move(h)(ec); });
    }
    Executor executor;
    Handler handler;
  };

  Executor executor_;
  std::shared_ptr<Waiters> waiters_;  // shared with cancellation slots, which may outlive the event
};

}  // namespace pnfs::io
