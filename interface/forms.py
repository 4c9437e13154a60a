"""How Django's forms are drawn: every field as the `components/field.html` of the design system."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """`{{ form.prompt.as_field_group }}` gives label, hint, errors and counter. Named by FORM_RENDERER."""

    field_template_name = "components/field.html"
