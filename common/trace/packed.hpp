// Events as bytes: how they wait for the thread that makes lines of them (LineWriter). Packing costs a fraction of
// what the line costs. They never leave the process.
#pragma once

#include <memory>

#include "common/trace/event.hpp"

namespace pnfs::trace {

// Packed events one behind the other.
class Batch {
 public:
  // `ts` instead of the event's own. Values of which the bytes cannot be kept cheaply (they refer to much data) are packed
  // as text.
  void add(const Event& event, WallTime ts);
  size_t bytes() const { return used_; }
  bool empty() const { return used_ == 0; }
  void clear() { used_ = 0; }

  // Takes one event after the other, in order. What it gets points into the batch and into memory of the reader and is
  // valid until the next.
  class Reader {
   public:
    explicit Reader(const Batch& batch) : next_(batch.bytes_.get()), end_(next_ + batch.used_) {}
    bool next(Event& event);

   private:
    xdr::FieldView value(std::string_view& instead);

    const char* next_;
    const char* end_;
    Arena arena_;
  };

 private:
  char* room(size_t bytes);

  std::unique_ptr<char[]> bytes_;
  size_t used_ = 0;
  size_t size_ = 0;
  Arena scratch_;
};

}  // namespace pnfs::trace
