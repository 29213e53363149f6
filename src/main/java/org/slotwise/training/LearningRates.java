package org.slotwise.training;

import ai.djl.nn.Parameter;
import ai.djl.training.tracker.ParameterTracker;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slotwise.internal.Check;

/**
 * Learning rates by group of parameters, in double precision: PyTorch's parameter groups.
 *
 * <pre>{@code
 * LearningRates rates = LearningRates.of(LearningRate.warmUp(1e-4, 30_000))
 *         .with(LearningRate.constant(3e-4), slate.dvae().getParameters().values());
 * Adam adam = Adam.builder().optLearningRate(rates).build();
 * }</pre>
 *
 * <p>Like a {@link LearningRate} it has no state. Every DJL optimizer takes one; {@link Adam} uses
 * the full precision.
 */
public final class LearningRates implements ParameterTracker {

    private final LearningRate others;
    private final Map<String, LearningRate> byParameter;

    private LearningRates(LearningRate others, Map<String, LearningRate> byParameter) {
        this.others = others;
        this.byParameter = byParameter;
    }

    /**
     * The same for all parameters, so far.
     *
     * @param others of the parameters that are in no group
     * @return the learning rates
     */
    public static LearningRates of(LearningRate others) {
        return new LearningRates(others, Map.of());
    }

    /**
     * Another learning rate for a group.
     *
     * @param rate the group's
     * @param parameters the group; none of them in another one
     * @return new learning rates
     * @throws IllegalArgumentException if a parameter is in a group already
     */
    public LearningRates with(LearningRate rate, Collection<Parameter> parameters) {
        Map<String, LearningRate> all = new LinkedHashMap<>(byParameter);
        List<String> twice = new ArrayList<>();
        for (Parameter parameter : parameters) {
            if (all.put(parameter.getId(), rate) != null) {
                twice.add(parameter.getName());
            }
        }
        Check.option(twice.isEmpty(), "LearningRates: in two groups: " + twice);
        return new LearningRates(others, all);
    }

    /**
     * The learning rate of a parameter at a step.
     *
     * @param parameterId the parameter's id, of {@link Parameter#getId}
     * @param step the number of the update, from 1
     * @return the learning rate
     */
    public double at(String parameterId, long step) {
        return Objects.requireNonNullElse(byParameter.get(parameterId), others).at(step);
    }

    /**
     * The learning rate of a parameter at a step, for DJL.
     *
     * @param parameterId the parameter's id
     * @param numUpdate the number of the update, from 1
     * @return {@link #at} as a float
     */
    @Override
    public float getNewValue(String parameterId, int numUpdate) {
        return (float) at(parameterId, numUpdate);
    }
}
