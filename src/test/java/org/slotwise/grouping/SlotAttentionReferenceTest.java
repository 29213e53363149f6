package org.slotwise.grouping;

import ai.djl.ndarray.NDManager;
import com.google.gson.JsonElement;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of {@link SlotAttention} beside those of the reference. */
@ExtendWith(OnDevice.class)
class SlotAttentionReferenceTest {

    static final AttendedFeatures.Choice PROJECTED =
            (pass, layers, x, heads, eps, slots, iterations) ->
                    new ProjectedFeatures(pass, layers, x, heads, eps);
    static final AttendedFeatures.Choice ABSORBED =
            (pass, layers, x, heads, eps, slots, iterations) ->
                    new AbsorbedFeatures(pass, layers, x, heads, eps);

    static Stream<ReferenceCase> cases() {
        return ReferenceCase.of("SlotAttention");
    }

    static SlotAttention.Builder builder(ReferenceCase reference) {
        SlotAttention.Builder builder =
                SlotAttention.builder()
                        .setDim(reference.integer("dim"))
                        .setFeatureDim(reference.integer("feature_dim"));
        return options(builder, reference, reference.integer("dim"));
    }

    static SlotAttention.Builder options(
            SlotAttention.Builder builder, ReferenceCase reference, int dim) {
        if (reference.option("kvq_dim") != null) {
            builder.optKvqDim(reference.integer("kvq_dim"));
        }
        if (reference.option("n_heads") != null) {
            builder.optHeads(reference.integer("n_heads"));
        }
        if (reference.option("iters") != null) {
            builder.optIterations(reference.integer("iters"));
        }
        JsonElement hidden = reference.option("ff_mlp");
        if (hidden != null) {
            builder.optFeedForward(
                    new FeedForward(dim, hidden.getAsJsonObject().get("hidden_dim").getAsInt()));
        }
        return builder.optEps(reference.number("eps", 1e-8))
                .optProjectionBias(reference.flag("use_projection_bias"))
                .optImplicitDifferentiation(reference.flag("use_implicit_differentiation"));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agrees(ReferenceCase reference, NDManager manager) {
        check(reference, builder(reference).build(), manager);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithKeysAndValues(ReferenceCase reference, NDManager manager) {
        check(reference, builder(reference).attendedBy(PROJECTED).build(), manager);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void agreesWithoutKeysAndValues(ReferenceCase reference, NDManager manager) {
        check(reference, builder(reference).attendedBy(ABSORBED).build(), manager);
    }

    static void check(ReferenceCase reference, SlotAttention block, NDManager manager) {
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    PerceptualGroupingOutput out =
                            block.group(
                                    store,
                                    new FeatureExtractorOutput(in.get("inputs")),
                                    in.get("conditioning"),
                                    in.get("masks"),
                                    true);
                    return Map.of("slots", out.objects(), "attn", out.featureAttributions());
                });
    }
}
