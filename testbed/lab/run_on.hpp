// One coroutine, driven to its end by the caller: for programs that are not servers.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <optional>

#include "common/base/result.hpp"
#include "common/io/task.hpp"

namespace pnfs::lab {

// Runs a coroutine on the context until it has ended. What it throws leaves this.
template <class T>
Result<T> run_on(boost::asio::io_context& context, io::Task<Result<T>> task) {
  std::optional<Result<T>> result;
  std::exception_ptr failure;
  auto ended = [&](const std::exception_ptr& thrown, Result<T> done) {
    failure = thrown;
    result.emplace(std::move(done));
  };
  boost::asio::co_spawn(context.get_executor(), std::move(task), ended);
  context.restart();
  while (!result && context.run_one() > 0) {
  }
  if (failure) std::rethrow_exception(failure);
  if (!result) return error(Errc::cancelled, "the work did not end");
  return std::move(*result);
}

}  // namespace pnfs::lab
