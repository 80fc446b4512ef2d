// A rule's text as words with the column each begins at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/result.hpp"

namespace pnfs::fault {

struct Word {
  std::string text;   // without the quotes
  size_t column = 1;  // of its first character, from 1
};

// Walks over the words. Words are parted by blanks; double quotes keep blanks in a word, \" is a quote.
class Words {
 public:
  static Result<Words> split(std::string_view text);

  bool at_end() const { return next_ == words_.size(); }
  const Word& peek() const { return words_[next_]; }
  // The next word's text, "" at the end.
  std::string_view peek_text() const { return at_end() ? std::string_view{} : std::string_view(peek().text); }
  Word take() { return words_[next_++]; }
  // Takes the next word when it is this one (case does not matter).
  bool take_if(std::string_view text);

  // "column 12: no such operation"; of the next word, or of the end of the text.
  Error fail(std::string_view what) const;
  Error fail_at(size_t column, std::string_view what) const;

 private:
  std::vector<Word> words_;
  size_t next_ = 0;
  size_t end_column_ = 1;
};

// "250ms", "2s", "1m", "100us"; a number without unit is refused.
std::optional<Duration> parse_duration(std::string_view text);
std::string to_string(Duration duration);
// "0.25" or "25%", as parts of a million.
std::optional<uint32_t> parse_probability(std::string_view text);

bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string upper_case(std::string_view text);
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace pnfs::fault
