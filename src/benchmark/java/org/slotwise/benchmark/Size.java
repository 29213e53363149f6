package org.slotwise.benchmark;

import java.util.List;

/**
 * What is measured: B images of N features of size F, K slots of size D, keys of size C, T
 * iterations.
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

    Size withIterations(int iterations) {
        return new Size(name, b, n, f, d, c, k, iterations);
    }

    @Override
    public String toString() {
        return name;
    }
}
