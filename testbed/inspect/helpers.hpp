// Work that blocks, on another thread; the result comes back to the executor's.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/base/result.hpp"
#include "common/io/task.hpp"

namespace pnfs::inspect {

template <class T>
io::Task<Result<T>> on_helper(boost::asio::thread_pool& helpers, io::Executor executor,
                              std::function<Result<T>()> work) {
  auto initiate = [&helpers, executor, work = std::move(work)](auto handler) mutable {
    // The context must not run dry while the work is elsewhere.
    auto guard = boost::asio::make_work_guard(executor);
    auto elsewhere = [executor, guard = std::move(guard), work = std::move(work), h = std::move(handler)]() mutable {
      auto back = [h = std::move(h), result = work()]() mutable { std::move(h)(std::move(result)); };
      boost::asio::post(executor, std::move(back));
    };
    boost::asio::post(helpers, std::move(elsewhere));
  };
  co_return co_await boost::asio::async_initiate<decltype(io::use_task), void(Result<T>)>(std::move(initiate),
                                                                                          io::use_task);
}

}  // namespace pnfs::inspect
