package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.NDScope;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How long a few small operations take that several threads share, after sleeps of several lengths:
 * on some machines many times as long after 20 ms or more ({@link EngineThreads#awaken}).
 */
final class Rests {

    private static final List<Integer> SLEEPS = List.of(0, 5, 10, 20, 30, 50, 100); // ms
    private static final int OPERATIONS = 10;

    private Rests() {}

    public static void main(String[] args) throws InterruptedException {
        Arguments arguments = Arguments.parse(args);
        int rounds = arguments.number("rounds", 60);
        for (String threads : arguments.list("threads", "2")) {
            EngineThreads.set(Integer.parseInt(threads));
            try (NDManager manager = arguments.manager()) {
                NDArray rows = manager.randomNormal(new Shape(1, 1024, 64));
                NDArray matrix = manager.randomNormal(new Shape(1, 64, 64));
                for (int sleep : SLEEPS) {
                    times(rows, matrix, sleep, rounds); // Java compiles
                    System.out.printf(
                            Locale.ROOT,
                            "%s threads, after %3d ms: %s%n",
                            threads,
                            sleep,
                            Timing.of(times(rows, matrix, sleep, rounds)));
                }
            }
        }
    }

    private static List<Double> times(NDArray rows, NDArray matrix, int sleep, int rounds)
            throws InterruptedException {
        List<Double> ms = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            Thread.sleep(sleep);
            long start = System.nanoTime();
            try (NDScope scope = new NDScope()) {
                scope.suppressNotUsedWarning();
                NDArray x = rows;
                for (int i = 0; i < OPERATIONS; i++) {
                    x = x.matMul(matrix).tanh();
                }
            }
            ms.add((System.nanoTime() - start) / 1e6);
        }
        return ms;
    }
}
