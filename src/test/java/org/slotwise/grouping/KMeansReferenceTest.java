package org.slotwise.grouping;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Tensors.assertClose;
import static org.slotwise.testing.Tensors.assertSame;
import static org.slotwise.testing.Tensors.doubles;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.clustering.KMeansClustering;
import org.slotwise.clustering.KMeansOptions;
import org.slotwise.testing.KMeansCases;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/**
 * {@link KMeansGrouping} beside the reference, and beside scikit-learn ({@code
 * resources/kmeans/make_cases.py}).
 */
@ExtendWith(OnDevice.class)
class KMeansReferenceTest {

    private static final double TOLERANCE = 1e-5;

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("KMeansGrouping");
    }

    static Stream<String> names() {
        try (NDManager manager = NDManager.newBaseManager("PyTorch")) {
            return KMeansCases.read(manager).keySet().stream()
                    .filter(name -> name.endsWith("/labels"))
                    .map(name -> name.substring(0, name.indexOf('/')))
                    .toList()
                    .stream();
        }
    }

    static KMeansGrouping build(NDArray centers, boolean normalise, int maxIter, double tol) {
        return KMeansGrouping.builder()
                .setSlots((int) centers.getShape().get(1))
                .optL2Normalization(normalise)
                .optClustering(KMeansOptions.builder().optMaxIter(maxIter).optTol(tol).build())
                .build();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithTheReference(ReferenceCase reference, NDManager manager) {
        Map<String, NDArray> arrays = reference.arrays(manager);
        NDArray features = arrays.get("in/features");
        NDArray centers = arrays.get("in/initial_centers");
        KMeansGrouping block =
                build(
                        centers,
                        reference.flag("use_l2_normalization"),
                        reference.integer("max_iter"),
                        reference.number("tol", Double.NaN));
        PerceptualGroupingOutput out =
                block.group(
                        new ParameterStore(manager, false),
                        new FeatureExtractorOutput(features),
                        centers,
                        false);
        assertClose("objects", arrays.get("out/objects"), out.objects(), TOLERANCE);
        assertSame(
                "attributions", arrays.get("out/feature_attributions"), out.featureAttributions());

        KMeansClustering clustering = block.cluster(features, centers);
        assertSame("centers", out.objects(), clustering.centers());
        assertClose(
                "inertia",
                arrays.get("out/inertia").toType(DataType.FLOAT64, true),
                clustering.inertia(),
                TOLERANCE);
        assertSame("n_iter", arrays.get("out/n_iter"), clustering.iterations());
    }

    @ParameterizedTest
    @MethodSource("names")
    void agreesWithScikitLearn(String name, NDManager manager) {
        Map<String, NDArray> arrays = ReferenceCase.under(name + "/", KMeansCases.read(manager));
        double[] options = doubles(arrays.get("options"));
        NDArray centers = arrays.get("centers");
        KMeansGrouping block = build(centers, options[2] > 0, (int) options[0], options[1]);
        KMeansClustering found = block.cluster(arrays.get("features"), centers);
        assertSame("labels", arrays.get("labels"), found.labels());
        assertSame("n_iter", arrays.get("n_iter"), found.iterations());
        assertClose("centers", arrays.get("centers_out"), found.centers(), TOLERANCE);
        assertClose("inertia", arrays.get("inertia"), found.inertia(), TOLERANCE);
    }

    /** Starts that are drawn are as good, on average, as scikit-learn's. */
    @ParameterizedTest
    @EnumSource(KMeansOptions.Init.class)
    void drawsStartsOfTheSameQuality(KMeansOptions.Init init, NDManager manager) {
        Map<String, NDArray> arrays = KMeansCases.read(manager);
        NDArray features = arrays.get("drawn/features");
        double[] expected =
                doubles(
                        arrays.get(
                                init == KMeansOptions.Init.RANDOM
                                        ? "drawn/random"
                                        : "drawn/k-means++"));
        int images = 2000;
        Shape shape = features.getShape();
        NDArray copies =
                features.expandDims(0).broadcast(images, shape.get(0), shape.get(1)).duplicate();
        double[] inertia =
                doubles(
                        KMeansGrouping.builder()
                                .setSlots(6)
                                .optL2Normalization(false)
                                .optClustering(
                                        KMeansOptions.builder()
                                                .optInit(init)
                                                .optNInit(1)
                                                .optMaxIter(1)
                                                .build())
                                .build()
                                .cluster(copies, null)
                                .inertia());
        assertEquals(images, inertia.length);
        double mean = 0;
        for (double i : inertia) {
            mean += i / images;
        }
        // Four standard errors of the difference between two means of 2000 draws.
        double bound = 4 * Math.sqrt(2) * expected[1];
        assertTrue(
                Math.abs(mean - expected[0]) < bound,
                mean + " should be " + expected[0] + " within " + bound);
    }
}
