package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.List;
import java.util.function.BiFunction;
import org.slotwise.benchmark.Subject.By;

/**
 * Times the library beside the plain computation in one process, taking turns. Arguments: the
 * number of threads (1 if not given) and the number of rounds (15).
 */
final class Speed {

    private Speed() {}

    public static void main(String[] args) {
        int threads = args.length > 0 ? Integer.parseInt(args[0]) : 1;
        int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 15;
        Engine.getEngine("PyTorch");
        JniUtils.setNumThreads(threads);
        System.out.printf("threads %d, rounds %d%n", threads, rounds);
        Size.SLOT_ATTENTION.forEach(
                size -> compare("SlotAttention", size, Subject::slotAttention, rounds));
        Size.STICK_BREAKING.forEach(
                size -> compare("StickBreaking", size, Subject::stickBreaking, rounds));
    }

    private static void compare(
            String module, Size size, BiFunction<NDManager, Size, Subject> make, int rounds) {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
            Subject subject = make.apply(manager, size);
            double difference = subject.difference();
            if (!(difference < 1e-4)) {
                throw new IllegalStateException(
                        module + " " + size + ": outputs differ by " + difference);
            }
            System.out.printf("%s %s: outputs differ by %.1e%n", module, size, difference);
            for (boolean training : new boolean[] {false, true}) {
                Timing[] t =
                        Timing.alternate(
                                List.of(
                                        () -> subject.run(By.LIBRARY, training),
                                        () -> subject.run(By.PLAIN, training)),
                                5,
                                rounds);
                System.out.printf(
                        "  %-18s library %s   plain %s   ratio %.2f%n",
                        training ? "forward + backward" : "inference",
                        t[0],
                        t[1],
                        t[1].median() / t[0].median());
            }
        }
    }
}
