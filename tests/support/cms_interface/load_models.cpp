// Loads models as CMS software does, all of them before any is used, and runs each on its own vectors.
//
//   load_models (<library> <vectors>)...
//
// Ends with 0 if every score word is as expected and every misuse throws what is promised.
#include "hls4ml/emulator.h"

#include <cstdint>
#include <dlfcn.h>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Loaded {
    hls4mlEmulator::Model *model;
    void (*destroy)(hls4mlEmulator::Model *);
};

Loaded load(const char *path) {
    void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    if (library == nullptr)
        throw std::runtime_error(dlerror());
    using Create = hls4mlEmulator::Model *();
    auto *create = reinterpret_cast<Create *>(dlsym(library, "create_model"));
    using Destroy = void(hls4mlEmulator::Model *);
    auto *destroy = reinterpret_cast<Destroy *>(dlsym(library, "destroy_model"));
    return {create(), destroy};
}

template <class Error, class Call> void must_throw(const char *what, Call call) {
    try {
        call();
    } catch (const Error &) {
        return;
    }
    throw std::runtime_error(std::string(what) + " throws nothing");
}

void check(hls4mlEmulator::Model &model, const char *path) {
    std::ifstream file(path);
    std::int64_t vectors = 0, inputs = 0, outputs = 0;
    file >> vectors >> inputs >> outputs;
    std::vector<std::int32_t> words(static_cast<std::size_t>(inputs));
    std::vector<std::int64_t> expected(static_cast<std::size_t>(outputs)), scores(expected.size());
    must_throw<std::logic_error>("predict() without words", [&] { model.predict(); });
    for (std::int64_t vector = 0; vector < vectors; vector++) {
        for (std::int32_t &word : words)
            file >> word;
        for (std::int64_t &score : expected)
            file >> score;
        if (vector % 2)
            model.prepare_input(words.data());
        else
            model.prepare_input(static_cast<const std::int32_t *>(words.data()));
        must_throw<std::logic_error>("an older result", [&] { model.read_result(scores.data()); });
        model.predict();
        model.read_result(scores.data());
        if (!file || scores != expected)
            throw std::runtime_error(std::string(path) + ": vector " + std::to_string(vector) + " differs");
    }
    must_throw<std::bad_any_cast>("a result as float", [&] { model.read_result(static_cast<float *>(nullptr)); });
    must_throw<std::bad_any_cast>("words as float", [&] { model.prepare_input(static_cast<float *>(nullptr)); });
    must_throw<std::logic_error>("predict() after wrong words", [&] { model.predict(); });
    must_throw<std::invalid_argument>("null", [&] { model.prepare_input(static_cast<std::int32_t *>(nullptr)); });
    words[0] = -1;
    model.prepare_input(words.data());
    must_throw<std::out_of_range>("a word outside its type", [&] { model.predict(); });
    must_throw<std::logic_error>("no result", [&] { model.read_result(scores.data()); });
}

} // namespace

int main(int count, char **arguments) {
    try {
        std::vector<Loaded> models;
        for (int index = 1; index + 1 < count; index += 2)
            models.push_back(load(arguments[index]));
        for (std::size_t index = 0; index < models.size(); index++)
            check(*models[index].model, arguments[2 * index + 2]);
        for (const Loaded &loaded : models)
            loaded.destroy(loaded.model);
        std::cout << models.size() << " models" << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what() << std::endl;
        return 1;
    }
    return 0;
}
