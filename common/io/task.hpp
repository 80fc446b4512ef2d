// Coroutines as this project uses them: asio::awaitable on the concrete io_context executor (any_io_executor costs a
// virtual call per resumption). One thread runs one io_context; nothing here locks.
//
// State is atomic only between two suspensions: keep no reference, iterator or verdict across a co_await.
// GCC 12: name every lambda that is a coroutine before it is spawned, pass what it needs as parameters, and keep
// braced temporaries with destructors out of co_await expressions.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pnfs::io {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

template <class T = void>
using Task = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> use_task{};

}  // namespace pnfs::io
