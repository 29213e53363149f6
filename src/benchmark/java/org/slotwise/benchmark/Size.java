package org.slotwise.benchmark;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What is measured: B images of N features of size F, K slots of size D, keys of size C, T
 * iterations of slot attention or starts of k-means.
 */
record Size(String name, int b, int n, int f, int d, int c, int k, int t) {

    static final List<Size> SLOT_ATTENTION =
            List.of(
                    new Size("CLEVR6", 64, 1024, 64, 64, 64, 7, 3),
                    new Size("DINO", 32, 784, 768, 256, 256, 11, 3),
                    new Size("single image", 1, 1024, 64, 64, 64, 7, 3));

    static final List<Size> STICK_BREAKING =
            List.of(
                    new Size("64", 32, 784, 64, 64, 64, 7, 1),
                    new Size("768", 32, 784, 768, 256, 256, 7, 1));

    /** Features of k-means: without groups, with vague ones, with clear ones. */
    static final List<Size> K_MEANS =
            List.of(
                    new Size("noise", 32, 784, 64, 64, 64, 7, 10),
                    new Size("vague", 32, 784, 64, 64, 64, 7, 10),
                    new Size("clear", 32, 784, 64, 64, 64, 7, 10));

    /** The sizes that are named in the results. */
    static List<Size> fixed(Module module) {
        return switch (module) {
            case SLOT_ATTENTION -> SLOT_ATTENTION;
            case STICK_BREAKING -> STICK_BREAKING;
            case K_MEANS -> K_MEANS;
        };
    }

    /** From 256 to 16,384 features of an image. */
    static List<Size> overN(Module module) {
        return IntStream.rangeClosed(8, 14)
                .mapToObj(power -> sweep(module, "over N", 1 << power, 7))
                .toList();
    }

    /** From 2 to 64 slots. */
    static List<Size> overK(Module module) {
        return IntStream.rangeClosed(1, 6)
                .mapToObj(power -> sweep(module, "over K", 1024, 1 << power))
                .toList();
    }

    private static Size sweep(Module module, String name, int n, int k) {
        return switch (module) {
            case SLOT_ATTENTION -> new Size(name, 8, n, 64, 64, 64, k, 3);
            case STICK_BREAKING -> new Size(name, 8, n, 64, 64, 64, k, 1);
            case K_MEANS -> new Size(name, 2, n, 64, 64, 64, k, 10);
        };
    }

    /** What Python is asked for. */
    JsonObject request(Module module) {
        JsonObject request = new JsonObject();
        request.addProperty("module", module.toString());
        request.addProperty("d", d);
        request.addProperty("c", c);
        request.addProperty("k", k);
        request.addProperty("t", t);
        return request;
    }

    Size withIterations(int iterations) {
        return new Size(name, b, n, f, d, c, k, iterations);
    }

    @Override
    public String toString() {
        return name;
    }
}
