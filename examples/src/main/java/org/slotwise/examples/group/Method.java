package org.slotwise.examples.group;

import java.util.Arrays;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The ways to group pixels, by the names that users give. */
enum Method {
    KMEANS("kmeans", new KMeansPixels()),
    STICK_BREAKING("stick-breaking", new StickBreakingPixels());

    private final String label;
    private final transient PixelGrouping grouping;

    Method(String label, PixelGrouping grouping) {
        this.label = label;
        this.grouping = grouping;
    }

    PixelGrouping grouping() {
        return grouping;
    }

    @Override
    public String toString() {
        return label;
    }

    /** Finds a method by its name. */
    static final class Parser implements ITypeConverter<Method> {

        @Override
        public Method convert(String name) {
            return Arrays.stream(values())
                    .filter(method -> method.label.equals(name))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "expected " + names() + ", got " + name));
        }

        private static String names() {
            return Arrays.stream(values())
                    .map(Method::toString)
                    .collect(Collectors.joining(" or "));
        }
    }
}
