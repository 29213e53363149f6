package org.slotwise.testing;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What scikit-learn made of small inputs: {@code resources/kmeans/make_cases.py}. */
public final class KMeansCases {

    private KMeansCases() {}

    /** The arrays by their full names, case and array. */
    public static Map<String, NDArray> read(NDManager manager) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        try (InputStream in = KMeansCases.class.getResourceAsStream("/kmeans/kmeans.npz")) {
            for (NDArray array : NDList.decode(manager, in)) {
                arrays.put(array.getName(), array);
                array.setName(null);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return arrays;
    }
}
