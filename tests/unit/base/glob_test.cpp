#include "common/base/glob.hpp"

#include <gtest/gtest.h>

namespace pnfs {
namespace {

TEST(GlobTest, Matches) {
  for (const auto& [pattern, text] : {std::pair{"", ""},
                                      {"*", ""},
                                      {"*", "a/b"},
                                      {"a*c", "abbc"},
                                      {"a?c", "abc"},
                                      {"*a*b*", "xxaxxbxx"},
                                      {"/dir/*", "/dir/f"},
                                      {"**", "x"},
                                      {"a*a*b", "aaaab"}})
    EXPECT_TRUE(glob_match(pattern, text)) << pattern << " " << text;
}

TEST(GlobTest, DoesNotMatch) {
  for (const auto& [pattern, text] :
       {std::pair{"", "a"}, {"a", ""}, {"a?c", "ac"}, {"*b", "ba"}, {"a*c", "abcd"}, {"abc", "ab"}, {"?", ""}})
    EXPECT_FALSE(glob_match(pattern, text)) << pattern << " " << text;
}

}  // namespace
}  // namespace pnfs
