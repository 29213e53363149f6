package org.slotwise.benchmark;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.slotwise.grouping.KMeansClustering;
import org.slotwise.grouping.KMeansGrouping;
import org.slotwise.grouping.KMeansOptions;

/**
 * Times {@link KMeansGrouping} on features (B, N, F) of a .npy file; {@code kmeans_timing.py} makes
 * such files and times scikit-learn on them.
 */
public final class KMeansTiming {

    private KMeansTiming() {}

    /**
     * Prints the least and the median time of a call, and the mean inertia.
     *
     * @param args the number of slots, the number of starts, the number of calls, files
     * @throws IOException if a file cannot be read
     */
    public static void main(String[] args) throws IOException {
        int slots = Integer.parseInt(args[0]);
        int starts = Integer.parseInt(args[1]);
        int calls = Integer.parseInt(args[2]);
        KMeansGrouping block =
                KMeansGrouping.builder()
                        .setSlots(slots)
                        .optClustering(KMeansOptions.builder().optNInit(starts).build())
                        .build();
        for (String file : Arrays.asList(args).subList(3, args.length)) {
            try (NDManager manager = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                    InputStream in = Files.newInputStream(Path.of(file))) {
                NDArray features = NDList.decode(manager, in).singletonOrThrow();
                features.setName(null);
                double[] seconds = new double[calls];
                double inertia = 0;
                for (int i = 0; i < calls; i++) {
                    try (NDManager call = manager.newSubManager()) {
                        features.attach(call);
                        long begin = System.nanoTime();
                        KMeansClustering found = block.cluster(features, null);
                        found.labels().toLongArray();
                        seconds[i] = (System.nanoTime() - begin) / 1e9;
                        inertia += found.inertia().mean().toDoubleArray()[0] / calls;
                        features.attach(manager);
                    }
                }
                Arrays.sort(seconds);
                System.out.printf(
                        "%s: least %.3f s, median %.3f s, inertia %.4f%n",
                        file, seconds[0], seconds[calls / 2], inertia);
            }
        }
    }
}
