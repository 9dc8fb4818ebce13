from django import template

register = template.Library()


@register.filter
def money(cents):
    return f"{cents / 100:.2f} EUR"
