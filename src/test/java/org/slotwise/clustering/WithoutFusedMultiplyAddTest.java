package org.slotwise.clustering;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slotwise.testing.ChildJvm;

/**
 * Where a product and a sum at once are no instruction Java takes a thousand times as long for
 * them, as in virtual machines that do not show what their processor has.
 */
class WithoutFusedMultiplyAddTest {

    /** Clusters, and tells whether Java's loops would. */
    static final class Clusters {
        public static void main(String[] args) {
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch")) {
                NDArray x = manager.randomNormal(new Shape(1, 200, 4));
                KMeansClustering found =
                        new KMeans(3, KMeansOptions.builder().build()).cluster(x, null);
                System.out.println(
                        "in Java " + Lloyd.inJava(x) + " centers " + found.centers().getShape());
            }
        }
    }

    @Test
    void kMeansIsLeftToTheEngine() throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(
                        ChildJvm.command(
                                Clusters.class,
                                List.of(
                                        "-XX:-UseFMA",
                                        "-Dai.djl.offline=true",
                                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"),
                                "x"));
        String said = ChildJvm.said(builder.redirectErrorStream(true).start());
        assertTrue(said.contains("in Java false centers (1, 3, 4)"), said);
    }
}
