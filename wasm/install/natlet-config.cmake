# natlet::natlet, the library; natlet::posix, with its host for Linux; for wasm32 the
# library of that target, and natlet::reactor, with the exports of a reactor module.
get_filename_component(_natlet_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(NOT TARGET natlet::natlet)
    add_library(natlet::natlet STATIC IMPORTED)
    set_target_properties(natlet::natlet PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${_natlet_prefix}/include")
    if(CMAKE_C_COMPILER_TARGET MATCHES "^wasm32" OR CMAKE_SYSTEM_PROCESSOR MATCHES "^wasm32")
        set_target_properties(natlet::natlet PROPERTIES
            IMPORTED_LOCATION "${_natlet_prefix}/lib/wasm32-wasip1/libnatlet.a")
        add_library(natlet::reactor INTERFACE IMPORTED)
        set_target_properties(natlet::reactor PROPERTIES INTERFACE_LINK_LIBRARIES
            "natlet::natlet;-nostartfiles;-Wl,--no-entry;-Wl,--undefined=natlet_run;-Wl,--stack-first;-Wl,-z,stack-size=16384")
    else()
        find_package(Threads REQUIRED)
        set_target_properties(natlet::natlet PROPERTIES
            IMPORTED_LOCATION "${_natlet_prefix}/lib/libnatlet.a")
        add_library(natlet::posix STATIC IMPORTED)
        set_target_properties(natlet::posix PROPERTIES
            IMPORTED_LOCATION "${_natlet_prefix}/lib/libnatlet_posix.a"
            INTERFACE_LINK_LIBRARIES "natlet::natlet;Threads::Threads")
    endif()
endif()
unset(_natlet_prefix)
