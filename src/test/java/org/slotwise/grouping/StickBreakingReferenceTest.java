package org.slotwise.grouping;

import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of {@link StickBreakingGrouping} beside those of the reference. */
@ExtendWith(OnDevice.class)
class StickBreakingReferenceTest {

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("StickBreakingGrouping");
    }

    private static StickBreakingGrouping build(ReferenceCase reference) {
        return StickBreakingGrouping.builder()
                .setObjectDim(reference.integer("object_dim"))
                .setFeatureDim(reference.integer("feature_dim"))
                .setSlots(reference.integer("n_slots"))
                .optKernelVar(reference.number("kernel_var", 1))
                .optLearnKernelVar(reference.flag("learn_kernel_var"))
                .optEps(reference.number("eps", 1e-8))
                .optDetachFeatures(reference.flag("detach_features"))
                .optInputLayerNorm(reference.flag("use_input_layernorm"))
                .optStoppingRule(
                        StoppingRule.builder()
                                .optMaxUnexplained(reference.number("max_unexplained", 0))
                                .optMinSlotMask(reference.number("min_slot_mask", 0))
                                .optMinMaxMaskValue(reference.number("min_max_mask_value", 0))
                                .optEarlyTermination(reference.flag("early_termination"))
                                .optAddUnexplained(reference.flag("add_unexplained"))
                                .build())
                .build();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        StickBreakingGrouping block = build(reference);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    PerceptualGroupingOutput out =
                            block.group(
                                    store,
                                    new FeatureExtractorOutput(in.get("features")),
                                    in.get("uniform"),
                                    true);
                    return Map.of(
                            "objects", out.objects(),
                            "feature_attributions", out.featureAttributions(),
                            "is_empty", out.isEmpty());
                });
    }
}
