package org.slotwise.grouping;

import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.SoftKMeansGrouping.Score;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** {@link SoftKMeansGrouping} beside its equations, feature by feature, in Python. */
@ExtendWith(OnDevice.class)
class SoftKMeansReferenceTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("softkmeans", "SoftKMeansGrouping");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        SoftKMeansGrouping.Builder builder =
                SoftKMeansGrouping.builder()
                        .optIterations((int) reference.number("iterations", 3))
                        .optEps(reference.number("eps", 1e-8));
        if (reference.option("score") != null) {
            builder.optScore(Score.valueOf(reference.option("score").getAsString()));
        }
        if (reference.option("temperature") != null) {
            builder.optTemperature(reference.number("temperature", 1));
        }
        SoftKMeansGrouping block = builder.build();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    PerceptualGroupingOutput out =
                            block.group(
                                    new FeatureExtractorOutput(in.get("features")),
                                    in.get("conditioning"),
                                    in.get("slot_mask"),
                                    true);
                    return Map.of("objects", out.objects(), "attributions", out.attributions());
                });
    }
}
