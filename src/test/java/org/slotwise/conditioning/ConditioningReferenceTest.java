package org.slotwise.conditioning;

import ai.djl.ndarray.NDManager;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;

/** Values and gradients of the conditionings beside those of the reference. */
@ExtendWith(OnDevice.class)
class ConditioningReferenceTest {

    private static Stream<ReferenceCase> cases(String kind) {
        return ReferenceCase.of(kind);
    }

    private static void check(NDManager manager, ReferenceCase reference, Conditioning block) {
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "conditioning",
                                in.containsKey("noise")
                                        ? block.sample(store, in.get("noise"), true)
                                        : block.sample(
                                                store,
                                                manager,
                                                in.get("batch_size").getLong(),
                                                reference.integer("n_slots"),
                                                true)));
    }

    @Test
    void random(NDManager manager) {
        cases("RandomConditioning")
                .forEach(
                        reference ->
                                check(
                                        manager,
                                        reference,
                                        RandomConditioning.builder()
                                                .setDim(reference.integer("object_dim"))
                                                .setSlots(reference.integer("n_slots"))
                                                .build()));
    }

    @Test
    void learnt(NDManager manager) {
        cases("LearntConditioning")
                .forEach(
                        reference ->
                                check(
                                        manager,
                                        reference,
                                        LearntConditioning.builder()
                                                .setDim(reference.integer("object_dim"))
                                                .setSlots(reference.integer("n_slots"))
                                                .build()));
    }

    @Test
    void slotwiseLearnt(NDManager manager) {
        cases("SlotwiseLearntConditioning")
                .forEach(
                        reference ->
                                check(
                                        manager,
                                        reference,
                                        SlotwiseLearntConditioning.builder()
                                                .setDim(reference.integer("object_dim"))
                                                .setSlots(reference.integer("n_slots"))
                                                .build()));
    }
}
