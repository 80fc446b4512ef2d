#include "common/io/event.hpp"

namespace pnfs::io {

Task<void> Event::wait() {
  auto initiate = [executor = executor_, waiters = waiters_](auto handler) {
    using Handler = decltype(handler);
    auto slot = asio::get_associated_cancellation_slot(handler);
    const auto it =
        waiters->insert(waiters->end(), std::make_unique<HandlerWaiter<Handler>>(executor, std::move(handler)));
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr(waiters), raw = it->get()](asio::cancellation_type) {
        const auto list = weak.lock();
        if (!list) return;
        for (auto entry = list->begin(); entry != list->end(); ++entry) {
          if (entry->get() != raw) continue;
          const auto waiter = std::move(*entry);
          list->erase(entry);
          waiter->complete(asio::error::operation_aborted);
          return;
        }
      });
    }
  };
  co_await asio::async_initiate<decltype(use_task), void(boost::system::error_code)>(initiate, use_task);
}

void Event::notify_all() {
  Waiters ready;
  ready.swap(*waiters_);
  for (const auto& waiter : ready) waiter->complete({});
}

void Event::notify_one() {
  if (waiters_->empty()) return;
  const auto waiter = std::move(waiters_->front());
  waiters_->pop_front();
  waiter->complete({});
}

}  // namespace pnfs::io
