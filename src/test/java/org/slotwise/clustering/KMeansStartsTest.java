package org.slotwise.clustering;

import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.internal.NoGraph;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

@ExtendWith(OnDevice.class)
class KMeansStartsTest {

    private static final int K = 4;

    @Test
    void startsInSeveralGroupsAreTheSame(NDManager manager) {
        NDArray features = Tensors.normal(manager, 1, DataType.FLOAT32, 3, 50, 5);
        KMeansOptions options = KMeansOptions.builder().optSeed(3).optNInit(7).build();
        NoGraph.during(
                () -> {
                    CentredFeatures input =
                            CentredFeatures.of("test", "centers", features, null, true);
                    KMeansStarts.Clusters whole =
                            KMeansStarts.run(input, K, options, KMeansStarts.SCORES);
                    for (long scores : new long[] {1, 3 * 50 * K * 2, 3 * 50 * K * 3}) {
                        KMeansStarts.Clusters parts = KMeansStarts.run(input, K, options, scores);
                        assertClose("centers", whole.centers(), parts.centers(), 1e-5);
                        assertSame("labels", whole.labels(), parts.labels());
                        assertSame("iterations", whole.iterations(), parts.iterations());
                    }
                    return whole;
                });
    }
}
