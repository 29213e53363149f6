package org.slotwise.benchmark;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A model with a benchmark of its own, of which {@link Models} asks for steps and predictions. */
enum ModelSystem {
    /** Tokens of pictures, one after the other. */
    SLATE("training,generation", "1") {
        @Override
        void run(String... args) throws IOException {
            SlateSpeed.main(args);
        }
    },
    /** Counted and placed objects. */
    GNM("training,explanation", "default") {
        @Override
        void run(String... args) throws IOException, InterruptedException {
            GnmSpeed.main(args);
        }
    },
    /** Latents, sampled step by step. */
    DIFFUSION("step,sampling", "small") {
        @Override
        void run(String... args) throws IOException {
            DiffusionSpeed.main(args);
        }
    };

    /** All of them, as they are chosen. */
    static final List<String> NAMES = Arrays.stream(values()).map(ModelSystem::toString).toList();

    private final String modules;
    private final String sizes;

    ModelSystem(String modules, String sizes) {
        this.modules = modules;
        this.sizes = sizes;
    }

    abstract void run(String... args) throws IOException, InterruptedException;

    /** The training step, and what a user waits for then, with what else was asked for. */
    void measure(Arguments arguments) throws IOException, InterruptedException {
        List<String> args = new ArrayList<>(List.of("--modules", modules, "--sizes", sizes));
        for (String name :
                List.of(
                        "threads", "rounds", "warmups", "seconds", "who", "python", "device",
                        "within")) {
            if (arguments.get(name) != null) {
                args.add("--" + name);
                args.add(arguments.get(name));
            }
        }
        System.out.println(this + ":");
        run(args.toArray(String[]::new));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
