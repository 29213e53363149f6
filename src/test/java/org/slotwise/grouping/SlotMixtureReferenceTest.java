package org.slotwise.grouping;

import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** {@link SlotMixtureGrouping} beside its equations, difference by difference, in Python. */
@ExtendWith(OnDevice.class)
class SlotMixtureReferenceTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("mixture", "SlotMixtureGrouping");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        SlotMixtureGrouping.Builder builder =
                SlotMixtureGrouping.builder()
                        .setDim(reference.integer("dim"))
                        .setFeatureDim(reference.integer("feature_dim"))
                        .optIterations((int) reference.number("iterations", 3))
                        .optEps(reference.number("eps", 1e-8))
                        .optLeastVariance(reference.number("least_variance", 1e-4))
                        .optImplicitDifferentiation(reference.flag("implicit"));
        if (reference.option("likelihood") != null) {
            builder.optLikelihood(
                    SlotMixtureGrouping.Likelihood.valueOf(
                            reference.option("likelihood").getAsString()));
        }
        if (reference.option("hidden") != null) {
            builder.optFeedForward(
                    new FeedForward(reference.integer("dim") / 2, reference.integer("hidden")));
        }
        SlotMixtureGrouping block = builder.build();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    MixtureSlots out =
                            block.mixture(
                                    store,
                                    new FeatureExtractorOutput(in.get("features")),
                                    in.get("conditioning"),
                                    in.get("slot_mask"),
                                    true);
                    return Map.of(
                            "objects", out.objects(),
                            "attributions", out.attributions(),
                            "priors", out.priors());
                });
    }
}
