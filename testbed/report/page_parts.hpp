// The files of testbed/report/page, as they were at build time.
#pragma once

#include <string_view>

namespace pnfs::report {

extern const std::string_view kPage_html;
extern const std::string_view kPage_css;
extern const std::string_view kPage_js;

}  // namespace pnfs::report
