// For the files that talk to Asio: a co_await that gives (error code, result) instead of throwing.
#pragma once

#include "common/io/task.hpp"

namespace pnfs::io {

inline constexpr auto as_tuple_task = asio::as_tuple_t<asio::use_awaitable_t<Executor>>{use_task};

}  // namespace pnfs::io
